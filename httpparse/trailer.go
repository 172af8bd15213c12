package httpparse

// Trailer is the trailer section of a chunked body, and the state of parsing it (RFC 9112 section 7.1.2).
// Trailer fields are kept apart from the header fields: merging them is for a program that knows the field
// (RFC 9110 section 6.5.1). The zero Trailer is ready for use. A Trailer belongs to one goroutine at a time.
type Trailer struct {
	Fields  []Field // in the order received; Reset keeps the array
	section fieldSection
}

// Reset makes t ready for the next trailer section. It keeps the array of Fields unless that has grown past 2 KiB.
func (t *Trailer) Reset() { *t = Trailer{Fields: reuse(t.Fields)} }

// Parse goes on parsing the section at the beginning of buf, which is what follows the last chunk's line. It
// is resumable as Request.Parse is, and returns the same way: n == 0 for more bytes, or the length of the section,
// which is 2 when there are no fields. A trailer with Content-Length, Transfer-Encoding or Host is an error.
func (t *Trailer) Parse(buf []byte, limits *Limits) (n int, err error) {
	if limits == nil {
		limits = &noLimits
	}
	view := headView(buf, orDefault(limits.Trailer, DefaultTrailer))
	var done bool
	t.Fields, done, err = t.section.parse(view, t.Fields,
		orDefault(limits.Field, DefaultField), orDefault(limits.TrailerFields, DefaultTrailerFields))
	if err != nil {
		return 0, err
	}
	if !done {
		if len(view) < len(buf) {
			return 0, ErrTrailerTooLarge
		}
		return 0, nil
	}
	for i := range t.Fields {
		switch known(t.Fields[i].Name.Of(buf)) {
		case hostField, lengthField, codingField:
			return 0, ErrTrailerField
		}
	}
	return t.section.pos, nil
}

// Field returns the value of the first trailer field of that name, in any case, and whether there is one. buf is
// the buffer given to Parse.
func (t *Trailer) Field(buf []byte, name string) (value []byte, ok bool) {
	return find(buf, t.Fields, name)
}
