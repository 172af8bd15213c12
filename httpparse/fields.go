package httpparse

// Field is one field line, in the order received. Name is a token, its case as sent. Value has no white space
// (SP, HTAB) around it, and may be empty.
type Field struct{ Name, Value Span }

// keptFields bounds the array that Reset keeps for the next message: 2 KiB.
const keptFields = 128

func reuse(fields []Field) []Field {
	if cap(fields) > keptFields {
		return nil
	}
	return fields[:0]
}

// find returns the value of the first field of that name.
func find(buf []byte, fields []Field, name string) (value []byte, ok bool) {
	for i := range fields {
		if f := &fields[i]; f.Name.Len() == len(name) && EqualFold(f.Name.Of(buf), name) {
			return f.Value.Of(buf), true
		}
	}
	return nil, false
}

// lastMark is the bit of fieldSection.marked that stands for all fields from there on.
const lastMark = 63

type fieldStage uint8

const (
	nextFieldLine  fieldStage = iota // the first byte of a field line, or the CRLF that ends the section
	nextFieldName                    // the rest of a name and its colon
	nextFieldValue                   // the rest of a value and its CRLF
)

// fieldSection is *( field-line CRLF ) CRLF, the end of every head and of every chunked body: where to go on.
type fieldSection struct {
	next  fieldStage
	pos   int // the first byte not yet looked at; after the end, the first byte beyond the section
	line  int // where the current line begins
	colon int // where its colon is, in nextFieldValue

	// marked has a bit for each of the first 63 fields that may be one that this package understands, and
	// the top bit when any of the others may.
	marked uint64
}

// parse goes on where it stopped and appends each whole line to fields. done means that the section's last CRLF
// has been read; neither done nor an error means that more bytes are needed.
func (s *fieldSection) parse(buf []byte, fields []Field, maxField, maxFields int) (_ []Field, done bool, _ error) {
	next, i, line, colon := s.next, s.pos, s.line, s.colon
scan:
	for {
		switch next {
		case nextFieldLine:
			fields, i = s.plainLines(buf, i, fields, maxField, maxFields)
			if i == len(buf) {
				break scan
			}
			line = i
			if buf[i] == '\r' && i+1 == len(buf) {
				break scan
			}
			if buf[i] == '\r' {
				s.pos = i + 2
				return fields, buf[i+1] == '\n', bareCR(buf[i+1])
			}
			if len(fields) >= maxFields {
				return fields, false, ErrTooManyFields
			}
			next = nextFieldName
			fallthrough
		case nextFieldName:
			if i = scanName(buf, i); i < len(buf) && buf[i] != ':' {
				i = scanClass(buf, i, classToken)
			}
			if i-line > maxField {
				return fields, false, ErrFieldTooLarge
			}
			if i == len(buf) {
				break scan
			}
			if buf[i] != ':' || i == line {
				return fields, false, nameError(buf[line:i+1], len(fields))
			}
			colon = i
			i++
			next = nextFieldValue
			fallthrough
		case nextFieldValue:
			if i = scanText(buf, i); i < len(buf) && buf[i] != '\r' {
				i = scanClass(buf, i, classValue)
			}
			if i-line > maxField {
				return fields, false, ErrFieldTooLarge
			}
			if i == len(buf) || i+1 == len(buf) && buf[i] == '\r' {
				break scan
			}
			if buf[i] != '\r' || buf[i+1] != '\n' {
				return fields, false, lineEndError(buf[i], ErrFieldValue)
			}
			s.mark(buf[line], colon-line, len(fields))
			fields = append(fields, Field{span(line, colon), trim(buf, span(colon+1, i))})
			i += 2
			next = nextFieldLine
		}
	}
	s.next, s.pos, s.line, s.colon = next, i, line, colon
	return fields, false, nil
}

// mark notes that the field to be appended as number i may be one that this package understands.
func (s *fieldSection) mark(name byte, length, i int) {
	if mayBeKnown(name, length) {
		s.marked |= 1 << uint(min(i, lastMark))
	}
}

// plainLines appends as many lines as are whole and plain, and returns where the next one begins.
func (s *fieldSection) plainLines(buf []byte, i int, fields []Field, maxField, maxFields int) ([]Field, int) {
	for len(fields) < maxFields && i < len(buf) && buf[i] != '\r' {
		colon, end, ok := plainLine(buf, i)
		if !ok || end-i > maxField {
			break
		}
		s.mark(buf[i], colon-i, len(fields))
		fields = append(fields, Field{span(i, colon), trim(buf, span(colon+1, end))})
		i = end + 2
	}
	return fields, i
}

// bareCR returns an error unless the byte behind a CR is LF.
func bareCR(c byte) error {
	if c == '\n' {
		return nil
	}
	return ErrBareCR
}

// nameError says what is wrong with a line whose last byte is not the colon after a name.
func nameError(line []byte, fields int) error {
	last := line[len(line)-1]
	switch {
	case isBlank(last) && len(line) == 1 && fields == 0:
		return ErrLeadingSpace
	case isBlank(last) && len(line) == 1:
		return ErrFold
	case isBlank(last):
		return ErrSpaceBefore
	case last == '\r' || last == '\n':
		return ErrNoColon
	}
	return ErrFieldName
}

// lineEndError says what is wrong with a byte that should have been the CR of a CRLF, or was one without LF.
func lineEndError(c byte, otherwise error) error {
	switch c {
	case '\r':
		return ErrBareCR
	case '\n':
		return ErrBareLF
	}
	return otherwise
}
