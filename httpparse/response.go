package httpparse

// Response is the head of one HTTP/1.1 or HTTP/1.0 response, and the state of parsing it, for clients and proxies.
// The zero Response is ready for use. The spans refer to the buffer given to Parse; nothing below is set before
// Parse has returned the length of the head. A Response belongs to one goroutine at a time.
type Response struct {
	Reason Span // the reason phrase as sent, often empty

	// Upgrade is the value of the first Upgrade field of a 1.1 response whose Connection field lists upgrade,
	// else empty. With status 101 the bytes behind the head belong to that protocol.
	Upgrade Span

	// Fields has every field line, in the order received. Reset keeps its array.
	Fields []Field

	// Length is the Content-Length. With Framing NoBody it is what a body would have had, or 0.
	Length int64

	Status  int // 100 to 999
	Minor   int // the minor version: 0 or 1; 1.2 to 1.9 count as 1
	Framing Framing

	// KeepAlive says that the connection persists after the body (RFC 9112 section 9.3).
	KeepAlive bool

	next    responseStage
	pos     int // the first byte not yet looked at
	section fieldSection
}

type responseStage uint8

const (
	nextStatus         responseStage = iota // version, space, three digits, space
	nextReason                              // the rest of the reason phrase and its CRLF
	nextResponseFields                      // the field lines
)

// statusLen is the length of "HTTP/1.1 200 ". The second space is required, also before an empty reason
// (RFC 9112 section 4).
const statusLen = versionLen + 5

// Reset makes r ready for the next head. It keeps the array of Fields unless that has grown past 2 KiB.
func (r *Response) Reset() { *r = Response{Fields: reuse(r.Fields)} }

// Parse goes on parsing the head at the beginning of buf. It is resumable and returns as Request.Parse does.
// requestMethod is the method of the request that is being answered, because a response to HEAD has no body, and
// neither has a 2xx to CONNECT, behind whose head the tunnel begins. A 1xx response is one of its own: the next
// one follows it. Limits.RequestLine bounds the status line, where breaking it is ErrHeadTooLarge.
func (r *Response) Parse(buf []byte, requestMethod string, limits *Limits) (n int, err error) {
	if limits == nil {
		limits = &noLimits
	}
	view := headView(buf, orDefault(limits.Head, DefaultHead))
	done := r.next == nextResponseFields
	if !done {
		done, err = r.parseLine(view, orDefault(limits.RequestLine, DefaultRequestLine))
	}
	if done {
		r.Fields, done, err = r.section.parse(view, r.Fields,
			orDefault(limits.Field, DefaultField), orDefault(limits.Fields, DefaultFields))
	}
	if err != nil {
		return 0, err
	}
	if !done {
		if len(view) < len(buf) {
			return 0, ErrHeadTooLarge
		}
		return 0, nil
	}
	if err = r.decide(buf, requestMethod); err != nil {
		return 0, err
	}
	return r.section.pos, nil
}

// Field returns the value of the first field of that name, in any case, and whether there is one. buf is the
// buffer given to Parse.
func (r *Response) Field(buf []byte, name string) (value []byte, ok bool) {
	return find(buf, r.Fields, name)
}

// parseLine goes on with the status line.
func (r *Response) parseLine(buf []byte, maxLine int) (done bool, err error) {
	if r.next == nextStatus {
		if err := checkStatus(buf); err != nil {
			return false, err
		}
		if len(buf) < statusLen {
			return false, nil
		}
		r.Minor, _ = minorVersion(buf)
		r.Status = int(buf[9]-'0')*100 + int(buf[10]-'0')*10 + int(buf[11]-'0')
		r.pos = statusLen
		r.next = nextReason
	}
	i := scanValue(buf, r.pos)
	r.pos = i
	if i > maxLine {
		return false, ErrHeadTooLarge
	}
	if i == len(buf) || i+1 == len(buf) && buf[i] == '\r' {
		return false, nil
	}
	if buf[i] != '\r' || buf[i+1] != '\n' {
		return false, lineEndError(buf[i], ErrReason)
	}
	r.Reason = span(statusLen, i)
	r.section.pos = i + 2
	r.next = nextResponseFields
	return true, nil
}

// checkStatus reports the first wrong byte of a status line before its reason, of which some may be yet to come.
func checkStatus(b []byte) error {
	if err := checkVersion(b, ErrStatusLine); err != nil {
		return err
	}
	for i := versionLen; i < min(len(b), statusLen); i++ {
		switch {
		case i == versionLen || i == statusLen-1:
			if b[i] != ' ' {
				return ErrStatusLine
			}
		case !isDigit(b[i]) || i == versionLen+1 && b[i] == '0':
			return ErrStatusLine
		}
	}
	return nil
}

// decide gives the fields their meaning. It runs once, at the end of the head.
func (r *Response) decide(buf []byte, requestMethod string) error {
	var m meaning
	tunnel := requestMethod == "CONNECT" && r.Status/100 == 2
	if tunnel {
		r.KeepAlive = true
		return nil
	}
	if err := m.read(buf, r.Fields, r.section.marked); err != nil {
		return err
	}
	var err error
	if r.Framing, r.Length, err = m.framing(r.Minor); err != nil {
		return err
	}
	switch {
	case requestMethod == "HEAD" || r.Status < 200 || r.Status == 204 || r.Status == 304:
		r.Framing = NoBody
	case r.Framing == NoBody:
		r.Framing = UntilClose
	}
	r.KeepAlive = m.keepAlive(r.Minor) && r.Framing != UntilClose
	if r.Minor > 0 {
		r.Upgrade = m.upgradeOffer()
	}
	return nil
}
