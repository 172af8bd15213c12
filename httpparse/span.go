package httpparse

// Span is a range of bytes, [Start, End), of the buffer given to Parse. It stays good when the caller moves
// the bytes to another address, and it holds no pointer for the garbage collector to follow.
// The zero Span is empty.
type Span struct{ Start, End uint32 }

// Of returns the bytes of buf that s covers, without copying. buf is the buffer that was given to Parse,
// or another one that begins with the same bytes.
func (s Span) Of(buf []byte) []byte { return buf[s.Start:s.End] }

// Len returns the number of bytes that s covers.
func (s Span) Len() int { return int(s.End - s.Start) }

func span(start, end int) Span { return Span{uint32(start), uint32(end)} }

// trim returns s without the spaces and tabs at both ends. No other byte counts as white space
// (RFC 9110 5.6.3).
func trim(buf []byte, s Span) Span {
	for s.Start < s.End && isBlank(buf[s.Start]) {
		s.Start++
	}
	for s.Start < s.End && isBlank(buf[s.End-1]) {
		s.End--
	}
	return s
}
