package http1

import "time"

// dateLayout is IMF-fixdate, RFC 9110 section 5.6.7.
const dateLayout = "Mon, 02 Jan 2006 15:04:05 GMT"

// stamp is the part of a head that all answers of a second share: Server and Date.
type stamp struct {
	server string
	lines  []byte
	until  int64 // on the loop's clock; when the second ends
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
		s.lines = append(s.lines, "Date: "...)
		s.lines = wall.UTC().AppendFormat(s.lines, dateLayout)
		s.lines = append(s.lines, "\r\n"...)
	}
	return s.lines
}
