package http1

import (
	"net/http"
	"strings"
	"time"
)

// Head is the status line and the fields of a response, built separately: once for many
// responses, or by an adapter, a proxy or a cache. Response.SetHead and WriteInterim copy
// it. Unlike SetHeader, it allows Date and Server, and with Upgrade the program sets
// Connection. A Head that does not change may be used on any goroutine.
type Head struct {
	Status int  // 100 to 999; 0 is 200
	Close  bool // the connection ends with the response

	NoDate   bool // the server adds no Date; the fields may contain one
	NoServer bool // likewise for Server
	NoLength bool // the response has neither a body nor a Content-Length

	fields fieldList
}

// Add appends a field. The error is a *FieldError: the name is not a token, the value
// contains a control byte, or the field is Content-Length or Transfer-Encoding, which
// depend on the body, Response.SetLength and Stream. Connection: close sets Close.
func (h *Head) Add(name, value string) error {
	if err := checkSyntax(name, value); err != nil {
		return err
	}
	switch o := ownerOf(name); {
	case o == ownerFraming:
		return &FieldError{name, value, reasonFraming}
	case o == ownerConnection && strings.EqualFold(value, "close"):
		h.Close = true
	default:
		h.fields.add(name, value)
	}
	return nil
}

// Reset makes h a zero Head that keeps its memory.
func (h *Head) Reset() {
	h.fields.reset()
	*h = Head{fields: h.fields}
}

// copyFrom makes h a copy.
func (h *Head) copyFrom(from *Head) {
	lines := append(h.fields.lines[:0], from.fields.lines...)
	*h = *from
	h.fields.lines = lines
}

// dateLayout is IMF-fixdate, RFC 9110 section 5.6.7.
const dateLayout = "Mon, 02 Jan 2006 15:04:05 GMT"

// stamp is the part of a head shared by most responses of a second: the status line of 200,
// Server and Date.
type stamp struct {
	name   string // of the server
	lines  []byte
	server int   // offset of Server in lines
	date   int   // offset of Date in lines
	until  int64 // end of the second, on the loop's clock
}

// append appends the head without the fields of the framing. now is on the loop's clock.
func (s *stamp) append(dst []byte, h *Head, now int64) []byte {
	if now >= s.until {
		s.renew(now)
	}
	if h.Status == http.StatusOK && !h.NoServer && !h.NoDate {
		dst = append(dst, s.lines...)
		return append(dst, h.fields.lines...)
	}
	dst = appendStatusLine(dst, h.Status)
	if !h.NoServer {
		dst = append(dst, s.lines[s.server:s.date]...)
	}
	if !h.NoDate {
		dst = append(dst, s.lines[s.date:]...)
	}
	return append(dst, h.fields.lines...)
}

func (s *stamp) renew(now int64) {
	wall := time.Now()
	s.until = now + int64(time.Second) - int64(wall.Nanosecond())
	s.lines = appendStatusLine(s.lines[:0], http.StatusOK)
	s.server = len(s.lines)
	if s.name != "" {
		s.lines = append(s.lines, "Server: "...)
		s.lines = append(s.lines, s.name...)
		s.lines = append(s.lines, "\r\n"...)
	}
	s.date = len(s.lines)
	s.lines = append(s.lines, "Date: "...)
	s.lines = wall.UTC().AppendFormat(s.lines, dateLayout)
	s.lines = append(s.lines, "\r\n"...)
}
