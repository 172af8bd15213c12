package httpparse

// Framing says where a message's body ends (RFC 9112 section 6.3).
type Framing uint8

const (
	NoBody        Framing = iota // the message ends with its head
	ContentLength                // after Length bytes, which may be 0
	ChunkedBody                  // at the end of the chunked coding: read it with a Chunked, then a Trailer
	UntilClose                   // when the server closes the connection; responses only
)

// framing refuses every message about whose end another recipient might disagree.
func (m *meaning) framing(minor int) (Framing, int64, error) {
	switch c := &m.codings; {
	case !c.seen && m.lengths == 0:
		return NoBody, 0, nil
	case !c.seen:
		return ContentLength, m.length, nil
	case minor == 0:
		return 0, 0, errCodingOldVersion
	case m.lengths > 0:
		return 0, 0, errLengthAndCoding
	case c.malformed || !c.chunkedLast:
		return 0, 0, errCoding
	case c.other:
		return 0, 0, errCodingUnknown
	}
	return ChunkedBody, 0, nil
}

// codings is of all Transfer-Encoding lines.
type codings struct {
	seen        bool
	malformed   bool // an empty element, a parameter, no token, or chunked before the end
	chunkedLast bool
	other       bool // a coding other than chunked
}

// add adds one line. Parameters are refused: chunked has none, and no coding that has is supported.
func (c *codings) add(value []byte) {
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

// parseLength returns the value of 1*DIGIT if an int64 can hold it (RFC 9110 section 8.6).
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
