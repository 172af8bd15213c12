package nethttp

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/httpparse"
)

// framing is the framing of the response according to the handler's fields, when the head is
// fixed.
type framing struct {
	length    int64       // Content-Length; -1 if not set
	chunked   bool        // Transfer-Encoding is set, or trailers are possible
	typed     bool        // Content-Type is set, or must not be detected
	announced []string    // names in the field Trailer
	trailers  [][2]string // name and value; set when the handler has returned
}

// readHeader adds the fields to the head, except those set by http1.
func (w *responseWriter) readHeader() {
	w.framing.length = -1
	w.framing.typed = !bodyAllowed(w.head.Status)
	addFields(w.head, w.header, w.special)
}

// special handles the fields with an effect on the server, and reports whether the field must
// not be added to the head.
func (w *responseWriter) special(name string, values []string) bool {
	f, h := &w.framing, w.head
	first := ""
	if len(values) > 0 {
		first = values[0]
	}
	switch name {
	case "Content-Type":
		f.typed = true
		return h.Status == http.StatusNotModified
	case "Content-Encoding":
		f.typed = f.typed || first != ""
	case "Content-Length":
		w.readLength(values)
		return true
	case "Transfer-Encoding":
		if first != "" {
			f.typed = true // the body may be encoded
			f.chunked = f.chunked || first != "identity"
		}
		return true
	case "Connection":
		return len(values) > 0 && readConnection(h, first)
	case "Date":
		h.NoDate = true // nil omits it, as in net/http
	case "Server":
		h.NoServer = true
	case "Trailer":
		for _, list := range values {
			for name := range strings.SplitSeq(list, ",") {
				f.announced = append(f.announced, http.CanonicalHeaderKey(strings.TrimSpace(name)))
			}
		}
		f.chunked = true
	default:
		if strings.HasPrefix(name, http.TrailerPrefix) {
			f.chunked = true
			return true
		}
	}
	return false
}

func (w *responseWriter) readLength(values []string) {
	switch {
	case !bodyAllowed(w.head.Status):
		return
	case len(values) == 0:
		w.framing.chunked = true // nil omits the length, as in net/http
		return
	case values[0] == "":
		return
	}
	n, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil || n < 0 {
		w.logMisuse("http: invalid Content-Length of " + strconv.Quote(values[0]))
		return
	}
	w.framing.length = n
}

func readConnection(h *http1.Head, value string) bool {
	for option := range strings.SplitSeq(value, ",") {
		if strings.EqualFold(strings.TrimSpace(option), "close") {
			h.Close = true
		}
	}
	return h.Close || strings.EqualFold(value, "keep-alive")
}

// detectType sets the type of a body that begins with p, unless the handler has set one.
func (w *responseWriter) detectType(p []byte) {
	if !w.framing.typed && len(p) > 0 {
		_ = w.head.Add("Content-Type", http.DetectContentType(p)) // valid
		w.framing.typed = true
	}
}

func (f *framing) readTrailers(h http.Header) {
	for _, name := range sortedNames(nil, h) {
		trailer, prefixed := strings.CutPrefix(name, http.TrailerPrefix)
		if prefixed || slices.Contains(f.announced, name) {
			for _, value := range h[name] {
				f.trailers = append(f.trailers, [2]string{trailer, fieldValue(value)})
			}
		}
	}
}

// bodyAllowed reports whether net/http allows a body.
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// sortedNames appends the names to a slice, which the caller may have on its stack.
func sortedNames(names []string, h http.Header) []string {
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// addFields adds the fields that are not special. An invalid name is omitted, as in net/http.
func addFields(h *http1.Head, header http.Header, special func(name string, values []string) bool) {
	for _, name := range sortedNames(make([]string, 0, 16), header) {
		values := header[name]
		if special != nil && special(name, values) {
			continue
		}
		for _, value := range values {
			_ = h.Add(name, fieldValue(value)) // an error: the name is invalid
		}
	}
}

// fieldValue replaces control bytes by spaces, as net/http does with CR and LF.
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
