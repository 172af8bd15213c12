package httpparse

// Trailer is the trailer section of a chunked body, and the state of parsing it (RFC 9112 section 7.1.2). Only a
// program that knows a field may merge it with the header fields (RFC 9110 section 6.5.1). The zero Trailer is ready
// for use. It belongs to one goroutine at a time.
type Trailer struct {
	Fields  Fields // Reset keeps the array
	section section
}

// Reset makes t ready for the next trailer section. It keeps the array of Fields up to 2 KiB.
func (t *Trailer) Reset() { *t = Trailer{Fields: t.Fields.reuse()} }

// Parse parses the section at the beginning of buf, which follows the line of the last chunk. It resumes and returns as
// Request.Parse does; n is 2 when there are no fields. Content-Length, Transfer-Encoding or Host is an error.
func (t *Trailer) Parse(buf []byte, limits *Limits) (n int, err error) {
	if limits == nil {
		limits = &noLimits
	}
	section := prefix(buf, orDefault(limits.Trailer, defaultTrailer))
	n, err = t.section.parse(section, &t.Fields,
		orDefault(limits.Field, defaultField), orDefault(limits.TrailerFields, defaultTrailerFields))
	switch m := &t.section.meaning; {
	case err != nil:
		return 0, err
	case n > 0 && (m.hosts > 0 || m.lengths > 0 || m.codings.seen):
		return 0, errTrailerField
	case n > 0 || len(section) == len(buf):
		return n, nil
	}
	return 0, errTrailerTooLarge
}
