package nethttp

import (
	"context"
	"errors"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/httpparse"
)

var (
	errTarget     = errors.New("nethttp: the request target is not a URL")
	errTrailerKey = errors.New("nethttp: the field Trailer names a field that no trailer may be")
)

// newRequest makes the request that a net/http handler sees, but for its body. All its
// strings are parts of one copy of the head: who keeps one for long should clone it.
// Loop only.
func newRequest(r *http1.Request, ctx context.Context) (*http.Request, error) {
	h, raw := r.Head()
	text := string(raw)
	part := func(span httpparse.Span) string { return text[span.Start:span.End] }
	q := http.Request{
		Method:        part(h.Method),
		RequestURI:    part(h.Target),
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    h.Minor,
		Header:        header(h.Fields, text),
		ContentLength: h.Length,
		Close:         !h.KeepAlive,
		RemoteAddr:    remoteAddr(r),
	}
	var err error
	if q.URL, err = parseTarget(q.RequestURI, h.Form); err != nil {
		return nil, errTarget
	}
	if q.Host = q.URL.Host; q.Host == "" {
		q.Host = part(h.Host)
	}
	delete(q.Header, "Host")
	if h.Minor == 0 {
		q.Proto = "HTTP/1.0"
	}
	if h.Framing == httpparse.ChunkedBody {
		q.ContentLength = -1
		q.TransferEncoding = []string{"chunked"}
		delete(q.Header, "Transfer-Encoding")
		if q.Trailer, err = announcedTrailers(q.Header); err != nil {
			return nil, err
		}
	}
	if p := q.Header["Pragma"]; p != nil && p[0] == "no-cache" && q.Header["Cache-Control"] == nil {
		q.Header["Cache-Control"] = []string{"no-cache"} // RFC 9111 section 5.4, as net/http does
	}
	return q.WithContext(ctx), nil
}

func remoteAddr(r *http1.Request) string {
	if peer := r.RemoteAddrPort(); peer.IsValid() {
		return peer.String()
	}
	return r.RemoteAddr()
}

func parseTarget(target string, form httpparse.TargetForm) (*url.URL, error) {
	if form != httpparse.AuthorityForm {
		return url.ParseRequestURI(target)
	}
	u, err := url.ParseRequestURI("http://" + target)
	if err == nil {
		u.Scheme = ""
	}
	return u, err
}

// header makes net/http's map of fields.
func header(fields []httpparse.Field, text string) http.Header {
	h := make(http.Header, len(fields))
	values := make([]string, len(fields)) // for all names that come once
	for i, f := range fields {
		name := canonical(text[f.Name.Start:f.Name.End])
		value := text[f.Value.Start:f.Value.End]
		if before := h[name]; before != nil {
			h[name] = append(before, value)
			continue
		}
		values[i] = value
		h[name] = values[i : i+1 : i+1]
	}
	return h
}

// canonical is the form of a name in which net/http keeps it.
func canonical(name string) string {
	if c, ok := lowerNames[name]; ok {
		return c
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

// lowerNames spares the names that many clients send in lower case a copy. It is
// never changed.
var lowerNames = func() map[string]string {
	m := map[string]string{}
	for _, name := range [...]string{"Accept", "Accept-Encoding", "Accept-Language", "Authorization",
		"Cache-Control", "Connection", "Content-Length", "Content-Type", "Cookie", "Host", "Origin",
		"Referer", "User-Agent", "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-Id"} {
		m[strings.ToLower(name)] = name
	}
	return m
}()

// announcedTrailers moves the names that the field Trailer lists to the keys of a map.
func announcedTrailers(h http.Header) (http.Header, error) {
	var trailers http.Header
	for _, list := range h["Trailer"] {
		for name := range strings.SplitSeq(list, ",") {
			name = canonical(textproto.TrimString(name))
			switch name {
			case "":
				continue
			case "Transfer-Encoding", "Trailer", "Content-Length":
				return nil, errTrailerKey
			}
			if trailers == nil {
				trailers = http.Header{}
			}
			trailers[name] = nil
		}
	}
	delete(h, "Trailer")
	return trailers, nil
}
