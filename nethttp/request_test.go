package nethttp

import (
	"net/url"
	"reflect"
	"testing"

	"github.com/eddynet/eddy/httpparse"
)

// TestPathsAreReadAsInNetURL: also those that are not parsed.
func TestPathsAreReadAsInNetURL(t *testing.T) {
	for c := range 256 {
		for _, end := range []string{"", "/b", "?", "?q=1", "?q?"} {
			target := "/a" + string([]byte{byte(c)}) + end
			head := "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"
			var h httpparse.Request
			if n, err := h.Parse([]byte(head), &httpparse.Limits{}); n == 0 || err != nil {
				continue
			}
			part := func(s httpparse.Span) string { return head[s.Start:s.End] }
			want, err := url.ParseRequestURI(part(h.Target))
			var e exchange
			if ok := e.readTarget(&h, part); ok != (err == nil) || ok && !reflect.DeepEqual(&e.url, want) {
				t.Errorf("%q is read as %#v, want %#v, %v", target, e.url, want, err)
			}
		}
	}
}
