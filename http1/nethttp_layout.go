package http1

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/eddynet/eddy/httpparse"
)

// sniffLen is how many bytes http.DetectContentType looks at.
const sniffLen = 512

// layout is what the fields that a net/http handler has set mean for the head and for
// the framing of its answer, when the head is fixed.
type layout struct {
	length   int64    // Content-Length; -1 if not set
	chunked  bool     // Transfer-Encoding is set, or trailers may follow
	typed    bool     // the type of the body is set, or is not to be found out
	trailers []string // announced by the field Trailer
}

// read writes the fields to the answer, but those that are the engine's business.
func (l *layout) read(w *responseWriter) {
	a := w.answer
	l.length = -1
	l.typed = !bodyAllowed(a.status)
	for _, name := range sortedNames(w.header) {
		if values := w.header[name]; !l.special(w, name, values) {
			appendFields(&a.fields, name, values)
		}
	}
}

// special handles the fields that are not simply written.
func (l *layout) special(w *responseWriter, name string, values []string) bool {
	a := w.answer
	switch name {
	case "Content-Type":
		l.typed = true
		return a.status == http.StatusNotModified
	case "Content-Encoding":
		l.typed = l.typed || len(values) > 0 && values[0] != ""
	case "Content-Length":
		l.readLength(w, values)
		return true
	case "Transfer-Encoding":
		if len(values) > 0 && values[0] != "" {
			l.typed = true // the body is in a coding already, for all one knows
			l.chunked = l.chunked || values[0] != "identity"
		}
		return true
	case "Connection":
		return len(values) > 0 && a.connection(values[0])
	case "Date":
		a.own |= ownDate // nil leaves it out, as in net/http
	case "Server":
		a.own |= ownServer
	case "Trailer":
		for _, list := range values {
			for name := range strings.SplitSeq(list, ",") {
				l.trailers = append(l.trailers, http.CanonicalHeaderKey(strings.TrimSpace(name)))
			}
		}
		l.chunked = true
	default:
		if strings.HasPrefix(name, http.TrailerPrefix) {
			l.chunked = true
			return true
		}
	}
	return false
}

func (l *layout) readLength(w *responseWriter, values []string) {
	switch {
	case !bodyAllowed(w.answer.status):
		return
	case len(values) == 0:
		l.chunked = true // nil leaves the length out, as in net/http
		return
	case values[0] == "":
		return
	}
	n, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil || n < 0 {
		w.complain("http: invalid Content-Length of " + strconv.Quote(values[0]))
		return
	}
	l.length = n
}

// connection carries out a field Connection, and says whether that is all.
func (w *Response) connection(value string) bool {
	for option := range strings.SplitSeq(value, ",") {
		if httpparse.EqualFold([]byte(strings.TrimSpace(option)), "close") {
			w.close = true
		}
	}
	return w.close || strings.EqualFold(value, "keep-alive")
}

// sniff sets the type of a body that begins with p, if the handler has not.
func (l *layout) sniff(a *Response, p []byte) {
	if !l.typed && len(p) > 0 {
		a.fields.add("Content-Type", http.DetectContentType(p))
	}
	l.typed = true
}

// endTrailers returns the trailers, as they are when the handler has returned.
func (l *layout) endTrailers(h http.Header) (list fieldList) {
	add := func(name string, values []string) {
		for _, value := range values {
			if value = fieldValue(value); checkTrailer(name, value) == nil {
				list.add(name, value)
			}
		}
	}
	for _, name := range sortedNames(h) {
		if trailer, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			add(trailer, h[name])
		} else if slices.Contains(l.trailers, name) {
			add(name, h[name])
		}
	}
	return list
}

// bodyAllowed says whether net/http lets a handler write a body.
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

func sortedNames(h http.Header) []string {
	names := make([]string, 0, 16)
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// appendFields writes fields of one name. A name that is none is left out, like in
// net/http.
func appendFields(list *fieldList, name string, values []string) {
	if !httpparse.IsToken(name) {
		return
	}
	for _, value := range values {
		list.add(name, fieldValue(value))
	}
}

// fieldValue makes control bytes spaces, as net/http does with CR and LF.
func fieldValue(value string) string {
	value = strings.Trim(value, " \t\r\n")
	if httpparse.IsFieldValue(value) {
		return value
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return ' '
		}
		return r
	}, value)
}
