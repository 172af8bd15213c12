package httpparse

// Response is the head of one response, and the state of parsing it, for clients and proxies. It is used as a Request
// is.
type Response struct {
	Reason Span // the reason phrase as sent, often empty

	// Upgrade is the value of the first Upgrade field of a 1.1 response whose Connection field lists upgrade, otherwise
	// empty. With status 101 the bytes after the head belong to that protocol.
	Upgrade Span

	Fields Fields // every field line; Reset keeps the array

	// Length is the Content-Length, or 0. With Framing NoBody it is the length that a body would have had.
	Length int64

	Status  int // 100 to 999
	Minor   int // the minor version: 0 or 1; 1.2 to 1.9 count as 1
	Framing Framing

	// KeepAlive reports that the connection persists after the body (RFC 9112 section 9.3).
	KeepAlive bool

	next    responseStage
	section section
}

type responseStage uint8

const (
	nextStatus         responseStage = iota // version, space, three digits, space
	nextReason                              // the rest of the reason phrase and its CRLF
	nextResponseFields                      // the field lines
)

// statusStart is the beginning of a status line, where 0 stands for any digit. The second space is required, also
// before an empty reason (RFC 9112 section 4).
const statusStart = "HTTP/0.0 000 "

// Reset makes r ready for the next head. It keeps the array of Fields up to 2 KiB.
func (r *Response) Reset() { *r = Response{Fields: r.Fields.reuse()} }

// Parse parses the head at the beginning of buf. It resumes and returns as Request.Parse does. requestMethod is that of
// the request: a response to HEAD has no body, and neither has a 2xx response to CONNECT, whose head the tunnel
// follows. A 1xx response is parsed by itself: the next one follows. Limits.RequestLine bounds the status line: 431.
func (r *Response) Parse(buf []byte, requestMethod string, limits *Limits) (n int, err error) {
	if limits == nil {
		limits = &noLimits
	}
	head := prefix(buf, orDefault(limits.Head, defaultHead))
	if r.next != nextResponseFields {
		err = r.parseLine(head, orDefault(limits.RequestLine, defaultRequestLine))
	}
	if err == nil && r.next == nextResponseFields {
		n, err = r.section.parse(head, &r.Fields,
			orDefault(limits.Field, defaultField), orDefault(limits.Fields, defaultFields))
	}
	if err == nil && n > 0 {
		err = r.interpret(buf, requestMethod)
	}
	switch {
	case err != nil:
		return 0, err
	case n > 0 || len(head) == len(buf):
		return n, nil
	}
	return 0, errHeadTooLarge
}

func (r *Response) parseLine(buf []byte, maxLine int) error {
	if r.next == nextStatus {
		n := matching(buf, statusStart)
		switch {
		case n >= versionLen && buf[5] != '1':
			return errVersionMajor
		case n < min(len(buf), len(statusStart)) || n > 9 && buf[9] == '0':
			return errStatusLine
		case n < len(statusStart):
			return nil
		}
		r.Minor = int(min(buf[7]-'0', 1))
		r.Status = int(buf[9]-'0')*100 + int(buf[10]-'0')*10 + int(buf[11]-'0')
		r.section.pos = n
		r.next = nextReason
	}
	i := scanValue(buf, r.section.pos)
	r.section.pos = i
	if i > maxLine {
		return errHeadTooLarge
	}
	if i == len(buf) || i+1 == len(buf) && buf[i] == '\r' {
		return nil
	}
	if buf[i] != '\r' || buf[i+1] != '\n' {
		return lineEndError(buf[i], errReason)
	}
	r.Reason = span(len(statusStart), i)
	r.section.begin(i + 2)
	r.next = nextResponseFields
	return nil
}

func (r *Response) interpret(buf []byte, requestMethod string) (err error) {
	if requestMethod == "CONNECT" && r.Status/100 == 2 {
		r.KeepAlive = true
		return nil
	}
	m := &r.section.meaning
	if m.err != nil {
		return m.err
	}
	if r.Framing, r.Length, err = m.framing(r.Minor); err != nil {
		return err
	}
	switch {
	case requestMethod == "HEAD" || r.Status < 200 || r.Status == 204 || r.Status == 304:
		r.Framing = NoBody
	case r.Framing == NoBody:
		r.Framing = UntilClose
	}
	r.KeepAlive = m.persists(r.Minor) && r.Framing != UntilClose
	r.Upgrade = m.upgradeOffer(r.Minor)
	return nil
}
