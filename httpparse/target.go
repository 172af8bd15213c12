package httpparse

import (
	"bytes"
	"net/netip"
	"unsafe"
)

// TargetForm is the form of a request target (RFC 9112 section 3.2).
type TargetForm uint8

const (
	OriginForm    TargetForm = iota // /path?query
	AbsoluteForm                    // scheme://host/path?query
	AuthorityForm                   // host:port, with CONNECT
	AsteriskForm                    // *, with OPTIONS
)

func (r *Request) parseTarget(buf []byte) error {
	start, end := int(r.Target.Start), int(r.Target.End)
	switch {
	case string(r.Method.Of(buf)) == "CONNECT":
		port, ok := parseAuthority(r.Target.Of(buf))
		if !ok || port == 0 {
			return errConnectTarget
		}
		r.Form, r.Host = AuthorityForm, r.Target
	case buf[start] == '/':
		r.Form = OriginForm
		r.splitQuery(start, end)
	case buf[start] == '*' && end == start+1:
		if string(r.Method.Of(buf)) != "OPTIONS" {
			return errAsteriskTarget
		}
		r.Form = AsteriskForm
	default:
		return r.parseAbsolute(buf, start, end)
	}
	return nil
}

// splitQuery sets Path and Query when the path begins at start. Query has its start if there is one.
func (r *Request) splitQuery(start, end int) {
	r.Path = span(start, end)
	if query := r.Query.Start; query > 0 {
		r.Path.End, r.Query.End = query-1, uint32(end)
	}
}

// parseAbsolute splits scheme "://" authority path-abempty [ "?" query ] (RFC 3986 section 4.3), of any scheme.
func (r *Request) parseAbsolute(buf []byte, start, end int) error {
	i := scanClass(buf[:end], start, classScheme)
	if !isAlpha(buf[start]) || !bytes.HasPrefix(buf[i:end], []byte("://")) {
		return errTargetForm
	}
	host := i + len("://")
	for i = host; i < end && buf[i] != '/' && buf[i] != '?'; {
		i++
	}
	if _, ok := parseAuthority(buf[host:i]); !ok {
		return errAuthority
	}
	r.Form, r.Host = AbsoluteForm, span(host, i)
	r.splitQuery(i, end)
	return nil
}

// parseAuthority parses uri-host [ ":" port ], without userinfo. The host must not be empty. A port is at most 65535,
// and 0 when it is absent or empty (RFC 9110 section 7.2, RFC 3986 section 3.2.2).
func parseAuthority(b []byte) (port int, ok bool) {
	i := 0
	for ; i <= len(b)-4; i += 4 {
		w := b[i : i+4 : i+4]
		if classes[w[0]]&classes[w[1]]&classes[w[2]]&classes[w[3]]&classRegName == 0 {
			break
		}
	}
	i = scanClass(b, i, classRegName)
	if i < len(b) && b[i] != ':' {
		i = hostEnd(b, i)
	}
	if i == 0 || i < len(b) && b[i] != ':' {
		return 0, false
	}
	for i++; i < len(b); i++ {
		if port = port*10 + int(b[i]-'0'); !isDigit(b[i]) || port > 65535 {
			return 0, false
		}
	}
	return port, true
}

// hostEnd returns where the host at the beginning of b ends, 0 when there is none. The first i bytes are a reg-name.
func hostEnd(b []byte, i int) int {
	if b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 || !isIPv6(b[1:end]) && !isIPvFuture(b[1:end]) {
			return 0
		}
		return end + 1
	}
	for i+2 < len(b) && b[i] == '%' && isHex(b[i+1]) && isHex(b[i+2]) {
		i = scanClass(b, i+3, classRegName)
	}
	return i
}

func isIPv6(b []byte) bool {
	if bytes.IndexByte(b, '%') >= 0 {
		return false
	}
	// Without the conversion to a string: no allocation for a valid address. netip keeps the string only in err.
	address, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(b), len(b)))
	return err == nil && address.Is6()
}

// isIPvFuture reports whether b is "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ).
func isIPvFuture(b []byte) bool {
	if len(b) == 0 || b[0]|0x20 != 'v' {
		return false
	}
	dot := scanClass(b, 1, classHex)
	return dot > 1 && dot < len(b)-1 && b[dot] == '.' && scanClass(b, dot+1, classFuture) == len(b)
}
