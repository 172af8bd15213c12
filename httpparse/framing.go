package httpparse

// Framing says where a message's body ends (RFC 9112 section 6.3).
type Framing uint8

const (
	NoBody        Framing = iota // the message ends with its head
	ContentLength                // after Length bytes, which may be 0
	ChunkedBody                  // at the end of the chunked coding: read it with a Chunked, then a Trailer
	UntilClose                   // when the server closes the connection; responses only
)

// framing decides between NoBody, ContentLength and ChunkedBody. It refuses every message about whose end another
// recipient might think differently.
func (m *meaning) framing(minor int) (Framing, int64, error) {
	if !m.codings.seen {
		if m.lengths == 0 {
			return NoBody, 0, nil
		}
		return ContentLength, m.length, nil
	}
	switch {
	case minor == 0:
		return 0, 0, ErrCodingOldVersion
	case m.lengths > 0:
		return 0, 0, ErrLengthAndCoding
	case m.codings.malformed || !m.codings.chunkedLast:
		return 0, 0, ErrCoding
	case m.codings.other:
		return 0, 0, ErrCodingUnknown
	}
	return ChunkedBody, 0, nil
}

// codings is what all Transfer-Encoding lines say together.
type codings struct {
	seen        bool
	malformed   bool // an empty element, a parameter, no token, or chunked before the end
	chunkedLast bool
	other       bool // a coding other than chunked
}

// read takes the next line. Parameters are refused: chunked has none, and no coding that has is supported.
func (c *codings) read(value []byte) {
	c.seen = true
	for {
		element, rest := CutElement(value)
		if c.chunkedLast || !IsToken(element) {
			c.malformed = true
		}
		c.chunkedLast = EqualFold(element, "chunked")
		c.other = c.other || !c.chunkedLast
		if rest == nil {
			return
		}
		value = rest
	}
}

// parseLength returns the number that 1*DIGIT stands for, if an int64 can hold it (RFC 9110 section 8.6).
func parseLength(digits []byte) (length int64, ok bool) {
	const most = 1<<63 - 1
	for _, c := range digits {
		digit := int64(c) - '0'
		if !isDigit(c) || length > (most-digit)/10 {
			return 0, false
		}
		length = length*10 + digit
	}
	return length, len(digits) > 0
}
