package http1

import (
	"strings"
	"time"
)

// Head is a status line and fields, built separately: once for many responses, or by an adapter, a
// proxy or a cache. Response.SetHead and WriteInterim copy it. Unlike SetHeader, it allows Date and
// Server, and with Upgrade the program sets Connection. Any goroutine may read it.
type Head struct {
	Status int  // 100 to 999; 0 is 200
	Close  bool // the connection ends with the response

	NoDate   bool // the server adds no Date; the fields may contain one
	NoServer bool // likewise for Server
	NoLength bool // the response has neither a body nor a Content-Length

	fields fieldList
}

// Add appends a field. The error is a *FieldError: the name is not a token, the value contains a
// control byte, or it is Content-Length or Transfer-Encoding. Connection: close sets Close.
func (h *Head) Add(name, value string) error {
	o, err := checkField(name, value, true)
	switch {
	case err != nil:
	case o == ownerConnection && strings.EqualFold(value, "close"):
		h.Close = true
	default:
		h.fields.add(name, value)
	}
	return err
}

// Reset makes h a zero Head that keeps its memory.
func (h *Head) Reset() {
	lines := h.fields[:0]
	if cap(lines) > maxKeptLines {
		lines = nil
	}
	*h = Head{fields: lines}
}

// maxKeptLines limits the memory that a Head keeps, in bytes.
const maxKeptLines = 4 << 10

// dateLayout is IMF-fixdate, RFC 9110 section 5.6.7.
const dateLayout = "Date: Mon, 02 Jan 2006 15:04:05 GMT\r\n"

// stamp has the lines that the server adds to each head. Times are on the clock of the loop.
type stamp struct {
	server string
	date   []byte
	until  int64     // the end of the date's second
	epoch  int64     // the beginning of the loop's use
	began  time.Time // the same on the system's clock
}

func (s *stamp) begin(server string, now int64) {
	s.epoch, s.began = now, time.Now()
	if server != "" {
		s.server = "Server: " + server + "\r\n"
	}
}

// append appends the head without the fields of the framing.
func (s *stamp) append(dst []byte, h *Head, now int64) []byte {
	dst = appendStatusLine(dst, h.Status)
	if !h.NoServer {
		dst = append(dst, s.server...)
	}
	if !h.NoDate {
		if now >= s.until {
			s.renew(now)
		}
		dst = append(dst, s.date...)
	}
	return append(dst, h.fields...)
}

// renew sets the date: that of the system, moved as a test has moved the loop's clock.
func (s *stamp) renew(now int64) {
	wall := time.Now()
	wall = wall.Add(time.Duration(now-s.epoch) - wall.Sub(s.began))
	s.until = now + int64(time.Second) - int64(wall.Nanosecond())
	s.date = wall.UTC().AppendFormat(s.date[:0], dateLayout)
}
