package httpparse

// Request is the head of one HTTP/1.1 or HTTP/1.0 request, and the state of parsing it. The zero Request is ready for
// use. The fields, whose spans refer to the buffer given to Parse, are valid when Parse has returned the length of the
// head. A Request belongs to one goroutine at a time.
type Request struct {
	Method Span // a token; its case matters (RFC 9110 section 9.1)
	Target Span // the request target as sent

	// Path and Query are parts of Target as sent, percent-encoding included. Path is empty in authority and asterisk
	// form, and in absolute form without a path, which means "/" (or "*" with OPTIONS). Query excludes its '?'.
	Path, Query Span

	// Host is the authority of the target in absolute and authority form, otherwise the value of the Host field. It is
	// empty in HTTP/1.0 without one (RFC 9112 section 3.3).
	Host Span

	// Upgrade is the value of the first Upgrade field of a 1.1 request whose Connection field lists upgrade, otherwise
	// empty (RFC 9110 section 7.8).
	Upgrade Span

	Fields Fields // every field line; Reset keeps the array

	// Length is the body's length in bytes when Framing is ContentLength, otherwise 0.
	Length int64

	Minor   int // the minor version: 0 or 1; 1.2 to 1.9 count as 1
	Form    TargetForm
	Framing Framing // never UntilClose

	// KeepAlive reports that the client lets the connection persist (RFC 9112 section 9.3).
	KeepAlive bool
	// ExpectContinue reports that the client of 1.1 waits for 100 Continue before the body (RFC 9110 section 10.1.1).
	ExpectContinue bool
	// ExpectUnknown reports that a 1.1 client expects something other than 100-continue: answer 417.
	ExpectUnknown bool

	next    requestStage
	section section
}

type requestStage uint8

const (
	nextMethod  requestStage = iota // empty lines, the method and its space
	nextTarget                      // the rest of the target and its space
	nextVersion                     // the version and its CRLF
	nextFields                      // the field lines
)

// Reset makes r ready for the next head. It keeps the array of Fields up to 2 KiB.
func (r *Request) Reset() { *r = Request{Fields: r.Fields.reuse()} }

// Parse parses the head at the beginning of buf, and resumes where the last call stopped. From call to call buf begins
// with the same bytes, possibly at another address, with more after them.
//
// It returns n == 0 and no error when the head is incomplete, otherwise its length in bytes, including empty lines
// before it and the CRLF at its end: the body begins at buf[n]. After that, and after an error, call Reset first. An
// error is always an *Error, that of the first byte that breaks a rule, however the bytes were cut. Errors in the
// meaning of the fields (Host, framing) come at the end of the head. Limits may be nil. Parse allocates only when
// Fields has to grow, or an IP literal is malformed.
func (r *Request) Parse(buf []byte, limits *Limits) (n int, err error) {
	if limits == nil {
		limits = &noLimits
	}
	head := prefix(buf, orDefault(limits.Head, defaultHead))
	if r.next != nextFields {
		err = r.parseLine(head, limits)
	}
	if err == nil && r.next == nextFields {
		n, err = r.section.parse(head, &r.Fields,
			orDefault(limits.Field, defaultField), orDefault(limits.Fields, defaultFields))
	}
	if err == nil && n > 0 {
		err = r.interpret(buf)
	}
	switch {
	case err != nil:
		return 0, err
	case n > 0 || len(head) == len(buf):
		return n, nil
	case r.next == nextTarget:
		return 0, errTargetTooLong
	}
	return 0, errHeadTooLarge
}

// parseLine parses the request line. The form of the target is examined after the version: PRI * HTTP/2.0 is 505.
func (r *Request) parseLine(buf []byte, limits *Limits) error {
	s := &r.section
	switch r.next {
	case nextMethod:
		if s.pos == int(r.Method.Start) && (s.pos == len(buf) || buf[s.pos] == '\r') {
			err := r.skipEmptyLines(buf, orDefault(limits.EmptyLines, defaultEmptyLines))
			if err != nil || s.pos == len(buf) || buf[s.pos] == '\r' {
				return err
			}
		}
		i := scanClass(buf, s.pos, classToken)
		s.pos = i
		switch start := int(r.Method.Start); {
		case i-start > orDefault(limits.Method, defaultMethod):
			return errMethodTooLong
		case i == len(buf):
			return nil
		case buf[i] != ' ' || i == start:
			return errMethod
		}
		r.Method.End = uint32(i)
		r.Target.Start = uint32(i + 1)
		s.pos = i + 1
		fallthrough
	case nextTarget:
		r.next = nextTarget
		i := scanTarget(buf, s.pos)
		for i < len(buf) && buf[i] == '?' {
			if r.Query.Start == 0 {
				r.Query.Start = uint32(i + 1)
			}
			i = scanTarget(buf, i+1)
		}
		s.pos = i
		switch start := int(r.Target.Start); {
		case i > start && i+len(" HTTP/1.1")-int(r.Method.Start) > orDefault(limits.RequestLine, defaultRequestLine):
			return errTargetTooLong
		case i == len(buf):
			return nil
		case buf[i] != ' ' || i == start:
			return errTarget
		}
		r.Target.End = uint32(i)
		s.pos = i + 1
		fallthrough
	case nextVersion:
		b := buf[s.pos:]
		if len(b) < len(versionLine) || string(b[:7]) != "HTTP/1." || !isDigit(b[7]) || string(b[8:10]) != "\r\n" {
			r.next = nextVersion
			return versionError(b)
		}
		r.Minor = int(min(b[7]-'0', 1))
		s.begin(s.pos + len(versionLine))
		r.next = nextFields
		return r.parseTarget(buf)
	}
	return nil
}

// skipEmptyLines finds the first byte of the method. All bytes before it are of empty lines.
func (r *Request) skipEmptyLines(buf []byte, limit int) error {
	i := r.section.pos
	for ; i < len(buf) && buf[i] == '\r'; i += len("\r\n") {
		if i/2 == limit {
			return errEmptyLines
		}
		if i+1 == len(buf) {
			break
		}
		if buf[i+1] != '\n' {
			return errBareCR
		}
	}
	r.section.pos = i
	r.Method.Start = uint32(i)
	return nil
}

const (
	versionLine = "HTTP/0.0\r\n" // 0 stands for any digit
	versionLen  = len("HTTP/1.1")
)

// versionError returns the error of the first wrong byte, nil if b is merely incomplete.
func versionError(b []byte) error {
	n := matching(b, versionLine)
	switch {
	case n >= versionLen && b[5] != '1':
		return errVersionMajor
	case n == len(b):
		return nil
	case n == versionLen:
		return lineEndError(b[n], errVersion)
	case n > versionLen:
		return errBareCR
	}
	return errVersion
}

// matching returns how many bytes of b are those of pattern, where 0 stands for any digit.
func matching(b []byte, pattern string) (n int) {
	for n < len(b) && n < len(pattern) && (b[n] == pattern[n] || pattern[n] == '0' && isDigit(b[n])) {
		n++
	}
	return n
}

func (r *Request) interpret(buf []byte) (err error) {
	m := &r.section.meaning
	switch {
	case m.err != nil:
		return m.err
	case m.hosts > 1:
		return errHostRepeated
	case m.hosts == 0 && r.Minor > 0:
		return errHostMissing
	case m.hosts > 0:
		if _, ok := parseAuthority(m.host.Of(buf)); !ok {
			return errHost
		}
		if r.Form == OriginForm || r.Form == AsteriskForm {
			r.Host = m.host
		}
	}
	if r.Framing, r.Length, err = m.framing(r.Minor); err != nil {
		return err
	}
	r.KeepAlive = m.persists(r.Minor)
	r.Upgrade = m.upgradeOffer(r.Minor)
	r.ExpectUnknown = r.Minor > 0 && m.expectUnknown
	r.ExpectContinue = r.Minor > 0 && m.expectContinue && !m.expectUnknown
	return nil
}
