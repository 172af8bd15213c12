package main

import (
	"strings"
	"testing"
	"time"
)

// Calls and allocations do not depend on the machine's speed, so this test can decide
// about a change. A request needs no allocation; alone it needs three calls, among others
// two, since one wait is for many. The rest is the runtime's: its number depends on time,
// and is less than a half for each request.
func TestPlaintextKeepsItsCallsAndAllocations(t *testing.T) {
	if !have("strace") {
		t.Skip("strace is not installed")
	}
	b := built(t, "plaintext-1,plaintext-64")
	most := map[string]float64{"plaintext-1": 3.5, "plaintext-64": 2.5}
	for _, s := range b.scenarios {
		r, err := b.countCalls(s, "eddy", 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(r.Void, "is it permitted?") {
			t.Skip(r.Void)
		}
		calls, allocations := served(r.Sample.Calls), r.Sample.Allocations
		t.Logf("%s: %.3f calls and %.3f allocations for each of %d requests", s.Name, calls, allocations, r.Sample.Requests)
		if r.Void != "" || calls > most[s.Name] {
			t.Errorf("%s: %.2f calls for a request, want at most %.1f: %s\n%s", s.Name, calls, most[s.Name], r.Void, r.Output)
		}
		if allocations > 0.1 { // the report of the allocations allocates too
			t.Errorf("%s: %.2f allocations for a request, want 0", s.Name, allocations)
		}
	}
}
