package http1

import (
	"net/http"
	"strings"
	"time"
)

// Head is the status line and the fields of an answer, made by itself: once, for many
// answers, or by an adapter, a proxy or a cache. Response.SetHead and WriteInterim copy it.
// Unlike SetHeader, it takes the fields that the server sets by default, and with Upgrade
// it leaves Connection to the program. Any goroutine may use one that is not changed.
type Head struct {
	Status int  // 100 to 999; 0 is 200
	Close  bool // the connection ends with the answer

	NoDate   bool // the server adds no Date: the fields have one, or there is none
	NoServer bool // the same for Server
	NoLength bool // the answer has no body, and no field tells the length of one

	fields fieldList
}

// Add appends a field. The error is a *FieldError: the name is not a token, the value
// holds a control byte, or the field frames the message: Content-Length and
// Transfer-Encoding follow from the body, Response.SetLength and Stream. Connection: close
// sets Close.
func (h *Head) Add(name, value string) error {
	if err := checkSyntax(name, value); err != nil {
		return err
	}
	switch who := ownerOf(name); {
	case who == ownerFraming:
		return &FieldError{name, value, "the server chooses the framing; SetLength announces the length of a stream"}
	case who == ownerConnection && strings.EqualFold(value, "close"):
		h.Close = true
	default:
		h.fields.add(name, value)
	}
	return nil
}

// Reset makes h a zero Head, and keeps its memory.
func (h *Head) Reset() {
	h.fields.reset()
	h.Status, h.Close, h.NoDate, h.NoServer, h.NoLength = 0, false, false, false, false
}

// copyFrom makes h a copy.
func (h *Head) copyFrom(from *Head) {
	lines := append(h.fields.lines[:0], from.fields.lines...)
	*h = *from
	h.fields.lines = lines
}

// dateLayout is IMF-fixdate, RFC 9110 section 5.6.7.
const dateLayout = "Mon, 02 Jan 2006 15:04:05 GMT"

// stamp is the part of a head that most answers of a second share: the status line of
// 200, Server and Date.
type stamp struct {
	name   string // of the server
	lines  []byte
	server int   // where in lines Server begins
	date   int   // where Date does
	until  int64 // on the loop's clock; when the second ends
}

// append appends the head, up to the fields of the framing, for the time now of the
// loop's clock.
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
