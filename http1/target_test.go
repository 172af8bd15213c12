package http1_test

import (
	"testing"

	"github.com/eddynet/eddy/http1"
)

// TestTargetsBeyondTheGrammarOfURIs: rule 10: a native handler gets visible ASCII as it
// was sent.
func TestTargetsBeyondTheGrammarOfURIs(t *testing.T) {
	native := inMemory(t, func(w *http1.Response, r *http1.Request) { w.Write(r.Target()) }, http1.Options{})
	for _, target := range []string{`/"`, `/\`, "/{|}", "/<>^`", "/?%zz", "/%zz", "/%", "/%4"} {
		a := native.get(target, "")
		expect(t, "status of "+target, a.status, 200)
		expect(t, "target", string(a.body), target)
	}
}

// TestRefusedTargets: rule 8: what a URI may have, and a request target may not.
func TestRefusedTargets(t *testing.T) {
	s := inMemory(t, write("served"), http1.Options{})
	for target, status := range map[string]int{
		"http://a/": 200, "http://a:65535/": 200,
		"http://a:65536/": 400, "http://u@a/": 400, "http://u:p@a/": 400,
	} {
		expect(t, "status of "+target, s.get(target, "").status, status)
	}
}
