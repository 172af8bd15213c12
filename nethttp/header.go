package nethttp

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/httpparse"
)

// framing is what the fields that a net/http handler has set mean for the framing of its
// answer, when the head is fixed.
type framing struct {
	length    int64       // Content-Length; -1 if not set
	chunked   bool        // Transfer-Encoding is set, or trailers may follow
	typed     bool        // the type of the body is set, or is not to be found out
	announced []string    // by the field Trailer
	trailers  [][2]string // when the handler has returned
}

// readHeader puts the fields into the head, but those that http1 makes.
func (w *responseWriter) readHeader() {
	w.framing.length = -1
	w.framing.typed = !bodyAllowed(w.head.Status)
	for _, name := range sortedNames(make([]string, 0, 16), w.header) {
		if values := w.header[name]; !w.special(name, values) {
			addFields(w.head, name, values)
		}
	}
}

// special handles the fields that are not simply written.
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
			f.typed = true // the body is in a coding already, for all one knows
			f.chunked = f.chunked || first != "identity"
		}
		return true
	case "Connection":
		return len(values) > 0 && readConnection(h, first)
	case "Date":
		h.NoDate = true // nil leaves it out, as in net/http
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
		w.framing.chunked = true // nil leaves the length out, as in net/http
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

// readConnection carries out a field Connection, and says whether that is all.
func readConnection(h *http1.Head, value string) bool {
	for option := range strings.SplitSeq(value, ",") {
		if strings.EqualFold(strings.TrimSpace(option), "close") {
			h.Close = true
		}
	}
	return h.Close || strings.EqualFold(value, "keep-alive")
}

// sniff sets the type of a body that begins with p, if the handler has not.
func (w *responseWriter) sniff(p []byte) {
	if !w.framing.typed && len(p) > 0 {
		_ = w.head.Add("Content-Type", http.DetectContentType(p)) // valid
	}
	w.framing.typed = true
}

// readTrailers takes the trailers, as they are when the handler has returned.
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

// bodyAllowed says whether net/http lets a handler write a body.
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// sortedNames appends the names to a slice, which need not be on the heap.
func sortedNames(names []string, h http.Header) []string {
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// addFields adds fields of one name. A name that is none is left out, like in net/http.
func addFields(h *http1.Head, name string, values []string) {
	for _, value := range values {
		_ = h.Add(name, fieldValue(value)) // an error is the name's
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
