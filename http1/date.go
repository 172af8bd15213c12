package http1

import (
	"net/http"
	"time"
)

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

// ownLines are the lines of a head that its handler sets in place of the engine.
type ownLines uint8

const (
	ownServer  ownLines = 1 << iota
	ownDate             // or leaves out
	ownFraming          // Content-Length and Transfer-Encoding
)

// append appends the status line and, but for those that are own, the others for the
// time now, of the loop's clock.
func (s *stamp) append(dst []byte, status int, now int64, own ownLines) []byte {
	if now >= s.until {
		s.renew(now)
	}
	if status == http.StatusOK && own&(ownServer|ownDate) == 0 {
		return append(dst, s.lines...)
	}
	dst = append(dst, statusLine(status)...)
	if own&ownServer == 0 {
		dst = append(dst, s.lines[s.server:s.date]...)
	}
	if own&ownDate == 0 {
		dst = append(dst, s.lines[s.date:]...)
	}
	return dst
}

func (s *stamp) renew(now int64) {
	wall := time.Now()
	s.until = now + int64(time.Second) - int64(wall.Nanosecond())
	s.lines = append(s.lines[:0], statusLine(http.StatusOK)...)
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
