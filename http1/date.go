package http1

import "time"

// dateLayout is IMF-fixdate, RFC 9110 section 5.6.7.
const dateLayout = "Mon, 02 Jan 2006 15:04:05 GMT"

// stamp is the part of a head that all answers of a second share: Server and Date.
type stamp struct {
	server string
	lines  []byte
	date   int   // where in lines Date begins
	until  int64 // on the loop's clock; when the second ends
}

// ownLines are the lines of a head that its handler sets in place of the engine.
type ownLines uint8

const (
	ownServer  ownLines = 1 << iota
	ownDate             // or leaves out
	ownFraming          // Content-Length and Transfer-Encoding
)

// append appends the lines for the time now, but those that are own.
func (s *stamp) append(dst []byte, now int64, own ownLines) []byte {
	lines := s.at(now)
	if own&ownServer == 0 {
		dst = append(dst, lines[:s.date]...)
	}
	if own&ownDate == 0 {
		dst = append(dst, lines[s.date:]...)
	}
	return dst
}

// at returns the lines for the time now, of the loop's clock.
func (s *stamp) at(now int64) []byte {
	if now >= s.until {
		wall := time.Now()
		s.until = now + int64(time.Second) - int64(wall.Nanosecond())
		s.lines = s.lines[:0]
		if s.server != "" {
			s.lines = append(s.lines, "Server: "...)
			s.lines = append(s.lines, s.server...)
			s.lines = append(s.lines, "\r\n"...)
		}
		s.date = len(s.lines)
		s.lines = append(s.lines, "Date: "...)
		s.lines = wall.UTC().AppendFormat(s.lines, dateLayout)
		s.lines = append(s.lines, "\r\n"...)
	}
	return s.lines
}
