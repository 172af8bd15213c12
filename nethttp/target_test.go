package nethttp_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/eddynet/eddy/http1"
)

// TestTargetsThatAreNoURLs are refused: the handler gets a decoded path.
func TestTargetsThatAreNoURLs(t *testing.T) {
	s := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.RequestURI)
	}), http1.Options{})
	for target, status := range map[string]int{
		`/"`: 200, `/\`: 200, "/{|}": 200, "/<>^`": 200, "/?%zz": 200,
		"/%zz": 400, "/%": 400, "/%4": 400,
	} {
		if a := s.get(target); a.status != status || status == 200 && a.body != target {
			t.Errorf("to %s: %d %q, want %d", target, a.status, a.body, status)
		}
	}
}
