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
	errTrailerKey = errors.New("nethttp: the field Trailer names a field that is not allowed in a trailer section")
)

// newRequest returns the request for a net/http handler, without its body. Its strings are
// parts of one copy of the head: clone a string that is kept for long. Loop only.
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
		RemoteAddr:    r.RemoteAddr(),
		TLS:           r.TLS(),
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
		q.Header["Cache-Control"] = []string{"no-cache"} // RFC 9111 section 5.4, as in net/http
	}
	return q.WithContext(ctx), nil
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

func header(fields []httpparse.Field, text string) http.Header {
	h := make(http.Header, len(fields))
	values := make([]string, len(fields)) // of names that occur once
	for i, f := range fields {
		name := textproto.CanonicalMIMEHeaderKey(text[f.Name.Start:f.Name.End])
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

// announcedTrailers removes the field Trailer, and returns a map with its names as keys.
func announcedTrailers(h http.Header) (http.Header, error) {
	var trailers http.Header
	for _, list := range h["Trailer"] {
		for name := range strings.SplitSeq(list, ",") {
			name = textproto.CanonicalMIMEHeaderKey(textproto.TrimString(name))
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
