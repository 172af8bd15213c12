package httpparse

// Request is the head of one HTTP/1.1 or HTTP/1.0 request, and the state of parsing it. The zero Request is
// ready for use. The spans refer to the buffer given to Parse; nothing below is set before Parse has returned
// the length of the head. A Request belongs to one goroutine at a time.
type Request struct {
	Method Span // a token; its case matters (RFC 9110 section 9.1)
	Target Span // the request target as sent

	// Path and Query are parts of Target as sent, percent-encoding included. Path is empty in authority and
	// asterisk form, and in absolute form without a path, which means "/" (or "*" with OPTIONS). Query
	// excludes its '?'.
	Path, Query Span

	// Host is the authority the request is for: the target's in absolute and authority form, whatever the
	// Host field says, else the value of the Host field. It is empty in HTTP/1.0 without one
	// (RFC 9112 section 3.3).
	Host Span

	// Upgrade is the value of the first Upgrade field of a 1.1 request whose Connection field lists upgrade,
	// else empty (RFC 9110 section 7.8).
	Upgrade Span

	// Fields has every field line, in the order received. Reset keeps its array.
	Fields []Field

	// Length is the body's length in bytes when Framing is ContentLength, else 0.
	Length int64

	Minor   int // the minor version: 0 or 1; 1.2 to 1.9 count as 1
	Form    TargetForm
	Framing Framing // never UntilClose

	// KeepAlive says that the client lets the connection persist (RFC 9112 section 9.3).
	KeepAlive bool
	// ExpectContinue says that the client waits for 100 Continue before it sends the body. It is never set
	// for HTTP/1.0 (RFC 9110 section 10.1.1).
	ExpectContinue bool
	// ExpectUnknown says that a 1.1 client expects something other than 100-continue: answer 417.
	ExpectUnknown bool

	next       requestStage
	emptyLines int
	pos        int // the first byte not yet looked at
	question   int // where the target's first '?' is, or 0
	section    fieldSection
}

type requestStage uint8

const (
	nextEmptyLine requestStage = iota // an empty line, or the first byte of the method
	nextMethod                        // the rest of the method and its space
	nextTarget                        // the rest of the target and its space
	nextVersion                       // the version and its CRLF
	nextFields                        // the field lines
)

// Reset makes r ready for the next head. It keeps the array of Fields unless that has grown past 2 KiB.
func (r *Request) Reset() { *r = Request{Fields: reuse(r.Fields)} }

// Parse goes on parsing the head at the beginning of buf. From call to call buf begins with the same bytes,
// possibly at another address, and has more behind them; a later call scans none again but the last few.
//
// It returns n == 0 and no error when the head needs more bytes than buf has, and else the head's length in
// bytes, empty lines before it and the CRLF at its end included: the body begins at buf[n]. After that, and after
// an error, call Reset before Parse is called again. An error is always an *Error and does not depend on how the
// bytes were cut: it is that of the first byte that breaks a rule, and errors of meaning (Host, framing) come
// at the end of the head. Limits may be nil. Parse allocates only when Fields has to grow.
func (r *Request) Parse(buf []byte, limits *Limits) (n int, err error) {
	if limits == nil {
		limits = &noLimits
	}
	view := headView(buf, orDefault(limits.Head, DefaultHead))
	done := r.next == nextFields
	if !done {
		done, err = r.parseLine(view, limits)
	}
	if done {
		r.Fields, done, err = r.section.parse(view, r.Fields,
			orDefault(limits.Field, DefaultField), orDefault(limits.Fields, DefaultFields))
	}
	if err != nil {
		return 0, err
	}
	if !done {
		if len(view) == len(buf) {
			return 0, nil
		}
		if r.next == nextTarget {
			return 0, ErrTargetTooLong
		}
		return 0, ErrHeadTooLarge
	}
	if err = r.decide(buf); err != nil {
		return 0, err
	}
	return r.section.pos, nil
}

// Field returns the value of the first field of that name, in any case, and whether there is one. buf is the
// buffer given to Parse.
func (r *Request) Field(buf []byte, name string) (value []byte, ok bool) {
	return find(buf, r.Fields, name)
}

// parseLine goes on with the request line and whatever empty lines precede it. What the target means can be said only
// when the version is known: PRI * HTTP/2.0 is 505.
func (r *Request) parseLine(buf []byte, limits *Limits) (done bool, err error) {
	switch r.next {
	case nextEmptyLine:
		if r.pos == len(buf) || buf[r.pos] == '\r' {
			if done, err = r.skipEmptyLines(buf, orDefault(limits.EmptyLines, DefaultEmptyLines)); !done {
				return false, err
			}
		}
		r.next = nextMethod
		fallthrough
	case nextMethod:
		start := int(r.Method.Start)
		i := scanClass(buf, r.pos, classToken)
		r.pos = i
		if i-start > orDefault(limits.Method, DefaultMethod) {
			return false, ErrMethodTooLong
		}
		if i == len(buf) {
			return false, nil
		}
		if buf[i] != ' ' || i == start {
			return false, ErrMethod
		}
		r.Method.End = uint32(i)
		r.Target.Start = uint32(i + 1)
		r.pos = i + 1
		r.next = nextTarget
		fallthrough
	case nextTarget:
		i := scanTarget(buf, r.pos)
		for i < len(buf) && buf[i] == '?' {
			if r.question == 0 {
				r.question = i
			}
			i = scanTarget(buf, i+1)
		}
		r.pos = i
		start := int(r.Target.Start)
		if i > start && i+len(" HTTP/1.1")-int(r.Method.Start) > orDefault(limits.RequestLine, DefaultRequestLine) {
			return false, ErrTargetTooLong
		}
		if i == len(buf) {
			return false, nil
		}
		if buf[i] != ' ' || i == start {
			return false, ErrTarget
		}
		r.Target.End = uint32(i)
		r.pos = i + 1
		r.next = nextVersion
		fallthrough
	case nextVersion:
		if done, err = r.parseVersion(buf); !done {
			return false, err
		}
		r.next = nextFields
	}
	return true, nil
}

// skipEmptyLines goes on to the first byte of the method.
func (r *Request) skipEmptyLines(buf []byte, limit int) (done bool, err error) {
	i := r.pos
	for ; i < len(buf) && buf[i] == '\r'; i += 2 {
		if r.emptyLines == limit {
			return false, ErrEmptyLines
		}
		if i+1 == len(buf) {
			break
		}
		if buf[i+1] != '\n' {
			return false, ErrBareCR
		}
		r.emptyLines++
	}
	r.pos = i
	r.Method.Start = uint32(i)
	return i < len(buf) && buf[i] != '\r', nil
}

// parseVersion goes on to the end of the request line, from the beginning of the version at every call: it is
// ten bytes long.
func (r *Request) parseVersion(buf []byte) (done bool, err error) {
	rest := buf[r.pos:]
	if len(rest) < versionLen+2 {
		return false, versionPrefix(rest)
	}
	minor, ok := minorVersion(rest)
	if !ok || rest[versionLen] != '\r' || rest[versionLen+1] != '\n' {
		return false, versionPrefix(rest)
	}
	r.Minor = minor
	if err := r.parseForm(buf); err != nil {
		return false, err
	}
	r.section.pos = r.pos + versionLen + 2
	return true, nil
}

// versionPrefix reports the first wrong byte of a version and its CRLF, of which some may be yet to come.
func versionPrefix(b []byte) error {
	if err := checkVersion(b, ErrVersion); err != nil {
		return err
	}
	if len(b) > versionLen && b[versionLen] != '\r' {
		return lineEndError(b[versionLen], ErrVersion)
	}
	if len(b) > versionLen+1 && b[versionLen+1] != '\n' {
		return ErrBareCR
	}
	return nil
}

// decide gives the fields their meaning. It runs once, at the end of the head.
func (r *Request) decide(buf []byte) error {
	var m meaning
	if err := m.read(buf, r.Fields, r.section.marked); err != nil {
		return err
	}
	if err := r.decideHost(buf, &m); err != nil {
		return err
	}
	var err error
	if r.Framing, r.Length, err = m.framing(r.Minor); err != nil {
		return err
	}
	r.KeepAlive = m.keepAlive(r.Minor)
	if r.Minor > 0 {
		r.ExpectContinue = m.expect == expectContinue
		r.ExpectUnknown = m.expect == expectUnknown
		r.Upgrade = m.upgradeOffer()
	}
	return nil
}

func (r *Request) decideHost(buf []byte, m *meaning) error {
	switch {
	case m.hosts > 1:
		return ErrHostRepeated
	case m.hosts == 0 && r.Minor > 0:
		return ErrHostMissing
	case m.hosts == 0:
		return nil
	case !isAuthority(m.host.Of(buf)):
		return ErrHost
	}
	if r.Form == OriginForm || r.Form == AsteriskForm {
		r.Host = m.host
	}
	return nil
}
