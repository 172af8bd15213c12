package httpparse

// Span is a range of bytes, [Start, End), of the buffer given to Parse, which may move meanwhile. It holds no pointer
// for the garbage collector to follow. The zero Span is empty.
type Span struct{ Start, End uint32 }

// Of returns the bytes of buf that s covers, without copying. buf begins with the bytes that were given to Parse.
func (s Span) Of(buf []byte) []byte { return buf[s.Start:s.End] }

// Len returns the number of bytes that s covers.
func (s Span) Len() int { return int(s.End - s.Start) }

func span(start, end int) Span { return Span{uint32(start), uint32(end)} }

// Field is one field line: a token, its case as sent, and a value, maybe empty, without SP and HTAB around it.
type Field struct{ Name, Value Span }

// Fields has the field lines of a head or of a trailer section, in the order received.
type Fields []Field

// Get returns the value of the first field of that name, in any case, and whether there is one.
func (f Fields) Get(buf []byte, name string) (value []byte, ok bool) {
	for i := range f {
		if f[i].Name.Len() == len(name) && EqualFold(f[i].Name.Of(buf), name) {
			return f[i].Value.Of(buf), true
		}
	}
	return nil, false
}

// keptFields bounds the array that Reset keeps: 2 KiB.
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

// parse resumes at pos and appends each complete line to fields. n is where the section ends, 0 while it is incomplete.
func (s *section) parse(buf []byte, fields *Fields, maxField, maxFields int) (n int, err error) {
	for {
		if s.pos == s.line {
			if err = s.parsePlain(buf, fields, maxField, maxFields); err != nil {
				return 0, err
			}
			switch rest := buf[s.line:]; {
			case len(rest) >= 2 && string(rest[:2]) == "\r\n":
				return s.line + 2, nil
			case len(rest) == 0 || len(rest) == 1 && rest[0] == '\r':
				return 0, nil
			case rest[0] == '\r':
				return 0, errBareCR
			case len(*fields) >= maxFields:
				return 0, errTooManyFields
			case isBlank(rest[0]) && len(*fields) == 0:
				return 0, errLeadingSpace
			case isBlank(rest[0]):
				return 0, errFold
			}
		}
		if complete, err := s.parseLine(buf, maxField); !complete {
			return 0, err
		}
		f := Field{span(s.line, s.colon), trim(buf, s.colon+1, s.pos)}
		*fields = append(*fields, f)
		s.meaning.add(buf, f)
		s.begin(s.pos + 2)
	}
}

// parsePlain appends the lines that plainLines accepts, as many as the array of fields has room for.
func (s *section) parsePlain(buf []byte, fields *Fields, maxField, maxFields int) error {
	have, room := len(*fields), min(cap(*fields), maxFields)
	if have >= room || len(buf) < plainBytes {
		return nil
	}
	var n, line int
	if hasAVX2 {
		n, line = plainLinesAVX2(buf, s.line, (*fields)[have:room])
	} else {
		n, line = plainLines(buf, s.line, (*fields)[have:room])
	}
	s.begin(line)
	*fields = (*fields)[:have+n]
	for _, f := range (*fields)[have:] {
		if int(f.Value.End-f.Name.Start) > maxField {
			return errFieldTooLarge
		}
		if mayBeKnown(buf[f.Name.Start], f.Name.Len()) {
			s.meaning.add(buf, f)
		}
	}
	return nil
}

func (s *section) parseLine(buf []byte, maxField int) (complete bool, err error) {
	line := s.line
	if s.colon <= line {
		s.pos = scanClass(buf, s.pos, classToken)
		switch i := s.pos; {
		case i-line > maxField:
			return false, errFieldTooLarge
		case i == len(buf):
			return false, nil
		case buf[i] != ':' || i == line:
			return false, nameError(buf[i])
		}
		s.colon = s.pos
		s.pos++
	}
	s.pos = scanValue(buf, s.pos)
	switch i := s.pos; {
	case i-line > maxField:
		return false, errFieldTooLarge
	case i == len(buf) || i+1 == len(buf) && buf[i] == '\r':
		return false, nil
	case buf[i] != '\r' || buf[i+1] != '\n':
		return false, lineEndError(buf[i], errFieldValue)
	}
	return true, nil
}

// trim returns buf[start:end] without the SP and HTAB at both ends (RFC 9110 section 5.6.3).
func trim(buf []byte, start, end int) Span {
	for start < end && isBlank(buf[start]) {
		start++
	}
	for start < end && isBlank(buf[end-1]) {
		end--
	}
	return span(start, end)
}

// nameError returns the error of a byte that should have been the colon after a name.
func nameError(c byte) error {
	switch {
	case isBlank(c):
		return errSpaceBefore
	case c == '\r' || c == '\n':
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
