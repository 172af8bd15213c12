package httpparse

// Span is a range of bytes, [Start, End), of the buffer given to Parse. It stays valid when the caller moves the
// bytes to another address, and it holds no pointer for the garbage collector to follow. The zero Span is empty.
type Span struct{ Start, End uint32 }

// Of returns the bytes of buf that s covers, without copying. buf is the buffer that was given to Parse, or
// another one that begins with the same bytes.
func (s Span) Of(buf []byte) []byte { return buf[s.Start:s.End] }

// Len returns the number of bytes that s covers.
func (s Span) Len() int { return int(s.End - s.Start) }

func span(start, end int) Span { return Span{uint32(start), uint32(end)} }

// Field is one field line. Name is a token, its case as sent. Value has no white space (SP, HTAB) around it, and
// may be empty.
type Field struct{ Name, Value Span }

// Fields has the field lines of a head or of a trailer section, in the order received.
type Fields []Field

// Get returns the value of the first field of that name, in any case, and whether there is one. buf is the buffer
// given to Parse.
func (f Fields) Get(buf []byte, name string) (value []byte, ok bool) {
	for i := range f {
		if f[i].Name.Len() == len(name) && EqualFold(f[i].Name.Of(buf), name) {
			return f[i].Value.Of(buf), true
		}
	}
	return nil, false
}

// keptFields bounds the array that Reset keeps for the next message: 2 KiB.
const keptFields = 128

func (f Fields) reuse() Fields {
	if cap(f) > keptFields {
		return nil
	}
	return f[:0]
}

// section is the state of parsing *( field-line CRLF ) CRLF, the end of every head and of every chunked body.
type section struct {
	pos     int // the first byte not yet scanned
	line    int // start of the current field line; equal to pos between lines
	colon   int // the colon of the current line; not above line until it has been found
	meaning meaning
}

// begin makes pos the start of the first field line.
func (s *section) begin(pos int) { s.pos, s.line = pos, pos }

// parse resumes at pos and appends each complete line to fields. n is where the section ends, 0 while its last
// CRLF is missing.
func (s *section) parse(buf []byte, fields Fields, maxField, maxFields int) (_ Fields, n int, _ error) {
	i, line, colon := s.pos, s.line, s.colon
	for i < len(buf) {
		if i == line {
			if buf[i] == '\r' {
				if i+1 == len(buf) {
					break
				}
				if buf[i+1] != '\n' {
					return fields, 0, errBareCR
				}
				return fields, i + 2, nil
			}
			if len(fields) >= maxFields {
				return fields, 0, errTooManyFields
			}
			colon, i = plainLine(buf, i)
		}
		if colon <= line {
			if i = scanToken(buf, i); i-line > maxField {
				return fields, 0, errFieldTooLarge
			}
			if i == len(buf) {
				break
			}
			if buf[i] != ':' || i == line {
				return fields, 0, nameError(buf[line:i+1], len(fields))
			}
			colon = i
			i++
		}
		if i < len(buf) && buf[i] != '\r' {
			i = scanValue(buf, i)
		}
		if i-line > maxField {
			return fields, 0, errFieldTooLarge
		}
		if i == len(buf) || i+1 == len(buf) && buf[i] == '\r' {
			break
		}
		if buf[i] != '\r' || buf[i+1] != '\n' {
			return fields, 0, lineEndError(buf[i], errFieldValue)
		}
		fields = append(fields, Field{span(line, colon), trim(buf, colon+1, i)})
		if mayBeKnown(buf[line], colon-line) {
			s.meaning.add(buf, fields[len(fields)-1])
		}
		i += 2
		line = i
	}
	s.pos, s.line, s.colon = i, line, colon
	return fields, 0, nil
}

// trim returns buf[start:end] without the spaces and tabs at both ends. No other byte counts as white space
// (RFC 9110 section 5.6.3).
func trim(buf []byte, start, end int) Span {
	for start < end && isBlank(buf[start]) {
		start++
	}
	for start < end && isBlank(buf[end-1]) {
		end--
	}
	return span(start, end)
}

// nameError returns the error of a line whose last byte should have been the colon after a name.
func nameError(line []byte, fields int) error {
	last := line[len(line)-1]
	switch {
	case isBlank(last) && len(line) == 1 && fields == 0:
		return errLeadingSpace
	case isBlank(last) && len(line) == 1:
		return errFold
	case isBlank(last):
		return errSpaceBefore
	case last == '\r' || last == '\n':
		return errNoColon
	}
	return errFieldName
}

// lineEndError returns the error of a byte that should have been the CR of a CRLF, or is a CR without LF.
func lineEndError(c byte, otherwise error) error {
	switch c {
	case '\r':
		return errBareCR
	case '\n':
		return errBareLF
	}
	return otherwise
}
