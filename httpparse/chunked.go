package httpparse

import "strconv"

// Chunked decodes the chunks of a body up to and including the line of the last chunk (RFC 9112 section 7.1). A Trailer
// parses the rest. The input may be cut anywhere and is not kept. The zero Chunked is ready. One goroutine at a time.
type Chunked struct {
	next      chunkStage
	digits    uint8 // of the size so far
	size      int64 // of the chunk, until its data begins; then the bytes of data still to come
	extension int   // bytes after the size, so far
	overhead  int   // bytes of framing so far, less the fair share of each chunk
}

type chunkStage uint8

const (
	nextChunkSize      chunkStage = iota // a digit, or the end of the size
	nextSizeLF                           // the LF of the size line
	nextSemicolon                        // white space, then the ';' of an extension
	nextExtensionName                    // white space, then the first byte of a name
	nextNameRest                         // the rest of the name
	nextNameEnd                          // white space, then '=' or ';'
	nextExtensionValue                   // white space, then the first byte of a value
	nextValueRest                        // the rest of a token
	nextQuoted                           // inside a quoted string
	nextQuotedPair                       // the byte after its backslash
	nextQuotedEnd                        // the byte after a quoted string
	nextData                             // size bytes of data
	nextDataCR                           // the CR after the data
	nextDataLF                           // its LF
	nextTrailer                          // the trailer section, which is not for Chunked
)

const (
	sizeDigits = 16 // at most
	fairShare  = 16 // bytes of framing that any chunk may have, besides one for each byte of data
)

// Reset makes d ready for the next body.
func (d *Chunked) Reset() { *d = Chunked{} }

// Done reports whether the line of the last chunk has been read: the trailer section comes next.
func (d *Chunked) Done() bool { return d.next == nextTrailer }

// Left returns how many bytes of the current chunk are still to come, to enforce a limit early; 0 between chunks.
func (d *Chunked) Left() int64 {
	if d.next != nextData {
		return 0
	}
	return d.size
}

// Next consumes n bytes at the beginning of in and returns the data among them: a part of in, at most the rest of one
// chunk. The next call gets in[n:] and what has arrived since. When data is empty and Done is false, all of in has been
// consumed. Errors are always an *Error, and final. Limits may be nil.
func (d *Chunked) Next(in []byte, limits *Limits) (data []byte, n int, err error) {
	if limits == nil {
		limits = &noLimits
	}
	for n < len(in) && d.next != nextTrailer {
		if d.next == nextData {
			data = in[n:]
			if d.size < int64(len(data)) {
				data = data[:d.size]
			}
			if d.size -= int64(len(data)); d.size == 0 {
				d.next = nextDataCR
			}
			return data, n + len(data), nil
		}
		d.overhead++
		if err = d.step(in[n], limits); err != nil {
			return nil, n, err
		}
		n++
	}
	return nil, n, nil
}

func (d *Chunked) step(c byte, limits *Limits) error {
	switch d.next {
	case nextChunkSize:
		if isHex(c) {
			return d.addDigit(c)
		}
		if d.digits == 0 {
			return errChunkSize
		}
	case nextSizeLF:
		if c != '\n' {
			return errBareCR
		}
		return d.endSizeLine(orDefault(limits.Overhead, defaultOverhead))
	case nextDataCR:
		if c != '\r' {
			return errChunkEnd
		}
		d.next = nextDataLF
		return nil
	case nextDataLF:
		if c != '\n' {
			return errChunkEnd
		}
		*d = Chunked{overhead: d.overhead}
		return nil
	}
	return d.stepExtension(c, orDefault(limits.Extension, defaultExtension))
}

func (d *Chunked) addDigit(c byte) error {
	if d.digits == sizeDigits {
		return errChunkSize
	}
	if d.size >= 1<<59 {
		return errChunkTooLarge
	}
	digit := c - '0'
	if !isDigit(c) {
		digit = c | 0x20 - 'a' + 10
	}
	d.digits++
	d.size = d.size<<4 | int64(digit)
	return nil
}

// endSizeLine takes the chunk's fair share off the overhead, but leaves no credit for later chunks.
func (d *Chunked) endSizeLine(limit int) error {
	share := fairShare + int(min(d.size, maxOffset-fairShare))
	if d.overhead = max(d.overhead-share, 0); d.overhead > limit {
		return errChunkOverhead
	}
	d.next = nextData
	if d.size == 0 {
		d.next = nextTrailer
	}
	return nil
}

// extensionSteps has the next stage for each byte of
//
//	chunk-ext = *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )
//
// which begins after the last digit of the size (RFC 9112 section 7.1.1). No entry: the byte is an error.
var extensionSteps = [...][extensionBytes]chunkStage{
	nextChunkSize:      {blank: nextSemicolon, semicolon: nextExtensionName},
	nextSemicolon:      {blank: nextSemicolon, semicolon: nextExtensionName},
	nextExtensionName:  {blank: nextExtensionName, tokenByte: nextNameRest},
	nextNameRest:       {blank: nextNameEnd, tokenByte: nextNameRest, equals: nextExtensionValue, semicolon: nextExtensionName},
	nextNameEnd:        {blank: nextNameEnd, equals: nextExtensionValue, semicolon: nextExtensionName},
	nextExtensionValue: {blank: nextExtensionValue, tokenByte: nextValueRest, quote: nextQuoted},
	nextValueRest:      {blank: nextSemicolon, tokenByte: nextValueRest, semicolon: nextExtensionName},
	nextQuoted: {blank: nextQuoted, tokenByte: nextQuoted, equals: nextQuoted, semicolon: nextQuoted,
		quote: nextQuotedEnd, backslash: nextQuotedPair, otherText: nextQuoted},
	nextQuotedPair: {blank: nextQuoted, tokenByte: nextQuoted, equals: nextQuoted, semicolon: nextQuoted,
		quote: nextQuoted, backslash: nextQuoted, otherText: nextQuoted},
	nextQuotedEnd: {blank: nextSemicolon, semicolon: nextExtensionName},
}

// The kinds of byte that an extension distinguishes.
const (
	blank = iota
	tokenByte
	equals
	semicolon
	quote
	backslash
	otherText
	controlByte
	extensionBytes
)

func extensionByte(c byte) int {
	switch {
	case isToken(c):
		return tokenByte
	case isBlank(c):
		return blank
	case c == '=':
		return equals
	case c == ';':
		return semicolon
	case c == '"':
		return quote
	case c == '\\':
		return backslash
	case classes[c]&classValue != 0:
		return otherText
	}
	return controlByte
}

// stepExtension parses one byte of an extension, or the CR after it. Extensions are checked and ignored.
func (d *Chunked) stepExtension(c byte, limit int) error {
	malformed := errChunkExtension
	switch d.next {
	case nextChunkSize:
		malformed = errChunkSize
		fallthrough
	case nextNameRest, nextValueRest, nextQuotedEnd: // complete; white space would have to be followed by more
		if c == '\r' {
			d.next = nextSizeLF
			return nil
		}
	}
	if d.extension++; d.extension > limit {
		return errExtensionLimit
	}
	next := extensionSteps[d.next][extensionByte(c)]
	if next == 0 {
		return lineEndError(c, malformed)
	}
	d.next = next
	return nil
}

// AppendChunkHeader appends the size line of a chunk of n bytes. The data and a CRLF have to follow; after n == 0 the
// trailer section, which without fields is a CRLF.
func AppendChunkHeader(dst []byte, n int) []byte {
	dst = strconv.AppendUint(dst, uint64(n), 16)
	return append(dst, "\r\n"...)
}
