package httpparse

// TargetForm is the form of a request target (RFC 9112 section 3.2).
type TargetForm uint8

const (
	OriginForm    TargetForm = iota // /path?query
	AbsoluteForm                    // scheme://host/path?query
	AuthorityForm                   // host:port, with CONNECT
	AsteriskForm                    // *, with OPTIONS
)

// parseForm takes the whole target apart. It runs once, at the end of the request line.
func (r *Request) parseForm(buf []byte) error {
	start, end := int(r.Target.Start), int(r.Target.End)
	switch {
	case string(r.Method.Of(buf)) == "CONNECT":
		host, port, ok := splitAuthority(r.Target.Of(buf))
		if !ok || len(host) == 0 || port <= 0 {
			return ErrConnectTarget
		}
		r.Form, r.Host = AuthorityForm, r.Target
	case buf[start] == '/':
		r.Form = OriginForm
		r.splitQuery(start, end)
	case buf[start] == '*' && end == start+1:
		if string(r.Method.Of(buf)) != "OPTIONS" {
			return ErrAsteriskTarget
		}
		r.Form = AsteriskForm
	default:
		return r.parseAbsolute(buf, start, end)
	}
	return nil
}

// splitQuery sets Path and Query when the path begins at start.
func (r *Request) splitQuery(start, end int) {
	if r.question == 0 {
		r.Path = span(start, end)
		return
	}
	r.Path, r.Query = span(start, r.question), span(r.question+1, end)
}

// parseAbsolute takes scheme://authority path-abempty [?query] apart (RFC 3986 section 4.3). Every scheme
// passes: which ones it serves is the server's, or the proxy's, business.
func (r *Request) parseAbsolute(buf []byte, start, end int) error {
	i := start
	for i < end && isScheme(buf[i]) {
		i++
	}
	if !isAlpha(buf[start]) || end-i < len("://") || string(buf[i:i+len("://")]) != "://" {
		return ErrTargetForm
	}
	i += len("://")
	host := i
	for i < end && buf[i] != '/' && buf[i] != '?' {
		i++
	}
	if !isAuthority(buf[host:i]) {
		return ErrAuthority
	}
	r.Form, r.Host = AbsoluteForm, span(host, i)
	r.splitQuery(i, end)
	return nil
}

func isScheme(c byte) bool {
	return isAlpha(c) || isDigit(c) || c == '+' || c == '-' || c == '.'
}
