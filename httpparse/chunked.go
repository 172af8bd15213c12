package httpparse

// Chunked decodes the chunks of a body with Transfer-Encoding: chunked, up to and including the line of the last
// chunk (RFC 9112 section 7.1). The trailer section behind it is a Trailer's to parse. It keeps nothing of its
// input, which may be cut anywhere and need not stay. The zero Chunked is ready for use. A Chunked belongs to
// one goroutine at a time.
type Chunked struct {
	next      chunkStage
	digits    uint8 // of the size so far
	size      int64 // of the chunk, until its data begins; then what is left of its data
	extension int   // bytes behind the size, so far
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
	nextQuotedPair                       // the byte behind its backslash
	nextValueEnd                         // what may stand right behind a quoted string
	nextData                             // size bytes of data
	nextDataCR                           // the CR behind the data
	nextDataLF                           // its LF
	nextTrailer                          // nothing more for Chunked
)

const (
	sizeDigits = 16 // at most
	fairShare  = 16 // bytes of framing that any chunk may have, besides one for each byte of data
)

// Reset makes d ready for the next body.
func (d *Chunked) Reset() { *d = Chunked{} }

// Done reports whether the line of the last chunk has been read: the trailer section comes next.
func (d *Chunked) Done() bool { return d.next == nextTrailer }

// Left is how many bytes of the current chunk's data are still to come, as its size line announced: a limit need
// not wait for them. It is 0 between chunks.
func (d *Chunked) Left() int64 {
	if d.next != nextData {
		return 0
	}
	return d.size
}

// Next consumes n bytes at the beginning of in and returns the data among them: a part of in, a whole chunk or
// as much of one as in has. The next call gets in[n:], and whatever has arrived behind it. When data is empty
// and Done is false, all of in has been consumed. Errors are always an *Error, and final. Limits may be
// nil.
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

// step takes one byte of framing.
func (d *Chunked) step(c byte, limits *Limits) error {
	switch d.next {
	case nextChunkSize:
		return d.stepSize(c)
	case nextSizeLF:
		if c != '\n' {
			return ErrBareCR
		}
		return d.endSizeLine(orDefault(limits.Overhead, DefaultOverhead))
	case nextDataCR:
		if c != '\r' {
			return ErrChunkEnd
		}
		d.next = nextDataLF
	case nextDataLF:
		if c != '\n' {
			return ErrChunkEnd
		}
		*d = Chunked{overhead: d.overhead}
	default:
		return d.stepExtension(c, orDefault(limits.Extension, DefaultExtension))
	}
	return nil
}

func (d *Chunked) stepSize(c byte) error {
	if isHex(c) {
		if d.digits == sizeDigits {
			return ErrChunkSize
		}
		if d.size >= 1<<59 {
			return ErrChunkTooLarge
		}
		d.digits++
		d.size = d.size<<4 | int64(hexValue(c))
		return nil
	}
	if d.digits == 0 {
		return ErrChunkSize
	}
	switch c {
	case '\r':
		d.next = nextSizeLF
	case ';':
		d.extension++
		d.next = nextExtensionName
	case ' ', '\t':
		d.extension++
		d.next = nextSemicolon
	case '\n':
		return ErrBareLF
	default:
		return ErrChunkSize
	}
	return nil
}

// endSizeLine takes the chunk's fair share off the overhead, but leaves no credit for later chunks.
func (d *Chunked) endSizeLine(limit int) error {
	share := fairShare + int(min(d.size, maxView-fairShare))
	if d.overhead = max(d.overhead-share, 0); d.overhead > limit {
		return ErrChunkOverhead
	}
	d.next = nextData
	if d.size == 0 {
		d.next = nextTrailer
	}
	return nil
}

func hexValue(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
