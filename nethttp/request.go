package nethttp

import (
	"cmp"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/httpparse"
)

// readRequest sets the request, without its body, and reports whether net/http accepts it. Its
// strings are parts of one copy of the head: clone a string that is kept for long. Loop only.
func (e *exchange) readRequest(r *http1.Request) (ok bool) {
	h, raw := r.Head()
	text := string(raw)
	part := func(span httpparse.Span) string { return text[span.Start:span.End] }
	q := http.Request{
		Method:        part(h.Method),
		RequestURI:    part(h.Target),
		Proto:         [...]string{"HTTP/1.0", "HTTP/1.1"}[h.Minor],
		ProtoMajor:    1,
		ProtoMinor:    h.Minor,
		Header:        header(h.Fields, text),
		Body:          http.NoBody,
		ContentLength: h.Length,
		Close:         !h.KeepAlive,
		RemoteAddr:    r.RemoteAddr(),
		TLS:           r.TLS(),
	}
	if q.URL = &e.url; !e.readTarget(h, part) {
		return false
	}
	q.Host = cmp.Or(e.url.Host, part(h.Host))
	if h.Framing == httpparse.ChunkedBody {
		q.ContentLength = -1
		q.TransferEncoding = []string{"chunked"}
		delete(q.Header, "Transfer-Encoding")
		if q.Trailer, ok = announcedTrailers(q.Header); !ok {
			return false
		}
	}
	if p := q.Header["Pragma"]; p != nil && p[0] == "no-cache" && q.Header["Cache-Control"] == nil {
		q.Header["Cache-Control"] = []string{"no-cache"} // RFC 9111 section 5.4, as in net/http
	}
	e.request = *q.WithContext(&e.context)
	return true
}

// readTarget sets the URL.
func (e *exchange) readTarget(h *httpparse.Request, part func(httpparse.Span) string) bool {
	path, query, target := part(h.Path), part(h.Query), part(h.Target)
	switch {
	case h.Form == httpparse.AuthorityForm:
		target = "http://" + target
	case h.Form == httpparse.OriginForm && isPlain(path) && (query != "" || path == target):
		e.url = url.URL{Path: path, RawQuery: query} // as most are
		return true
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return false
	}
	if e.url = *u; h.Form == httpparse.AuthorityForm {
		e.url.Scheme = ""
	}
	return true
}

// isPlain reports whether a path has only letters, digits and - . / _ in it.
func isPlain(path string) bool {
	for i := range len(path) {
		if c := path[i]; (c|0x20 < 'a' || c|0x20 > 'z') && (c < '-' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// header is the fields but for Host.
func header(fields []httpparse.Field, text string) http.Header {
	h := make(http.Header, len(fields))
	values := make([]string, 0, max(len(fields)-1, 0)) // of names that occur once
	for _, f := range fields {
		name := textproto.CanonicalMIMEHeaderKey(text[f.Name.Start:f.Name.End])
		value := text[f.Value.Start:f.Value.End]
		if before := h[name]; before != nil {
			h[name] = append(before, value)
		} else if name != "Host" {
			values = append(values, value)
			h[name] = values[len(values)-1 : len(values) : len(values)]
		}
	}
	return h
}

// announcedTrailers removes the field Trailer, and returns a map with its names, if all are
// allowed, as keys.
func announcedTrailers(h http.Header) (trailers http.Header, ok bool) {
	for _, list := range h["Trailer"] {
		for name := range strings.SplitSeq(list, ",") {
			name = textproto.CanonicalMIMEHeaderKey(textproto.TrimString(name))
			switch name {
			case "":
				continue
			case "Transfer-Encoding", "Trailer", "Content-Length":
				return nil, false
			}
			if trailers == nil {
				trailers = http.Header{}
			}
			trailers[name] = nil
		}
	}
	delete(h, "Trailer")
	return trailers, true
}
