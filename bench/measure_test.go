package main

import (
	"io"
	"math"
	"strings"
	"testing"

	"github.com/eddynet/eddy/bench/proc"
)

// built returns a bench that measures eddy briefly in these scenarios.
func built(t *testing.T, scenarios string) *bench {
	t.Helper()
	c, err := parseConfig([]string{"-scenario", scenarios, "-peer", "eddy", "-duration", "250ms", "-load", "own"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.checkMachine(); err != nil {
		t.Skip(err)
	}
	if err := proc.Pin(c.serverCPUs + "," + c.clientCPUs); err != nil {
		t.Skip("two processors are needed: ", err)
	}
	programs, err := build(t.Context(), t.TempDir(), c.scenarios, "")
	if err != nil {
		t.Fatal(err)
	}
	return newBench(c, programs)
}

func TestOneRun(t *testing.T) {
	b := built(t, "plaintext-64,idle-15000,echo-1k,websocket,comet-10000")
	for _, s := range b.scenarios {
		if s.idle() {
			s.holders, s.wait = 100, 0
		}
		s.connections = min(s.connections, 100)
		r, err := b.measure(s, turn{peer: "eddy", tool: "load"}, 1)
		if err != nil || r.Void != "" {
			t.Fatal(err, r.Void)
		}
		m := r.Sample
		if m.Requests == 0 || m.Base == 0 || m.RSS == 0 || r.Server == "" || r.Client == "" {
			t.Errorf("%s: %+v", s.Name, r)
		}
		if s.idle() && (m.Idle == 0 || m.Requests != 100) || !s.idle() && (m.CPU == 0 || m.P50 == 0) {
			t.Errorf("%s: %+v", s.Name, m)
		}
	}
}

func TestSystemCallsAreThoseOfRequests(t *testing.T) {
	if !have("strace") {
		t.Skip("strace is not installed")
	}
	b := built(t, "plaintext-1,pipelined-16,connection-per-request")
	for _, s := range b.scenarios {
		r, err := b.countCalls(s, "eddy", countedTime)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(r.Void, "is it permitted?") {
			t.Skip(r.Void)
		}
		// The runtime makes further calls, whose number depends on time.
		least, accepts := 3.0, 0.0 // wait, read, write
		if s.pipeline > 0 {
			least /= float64(s.pipeline)
		}
		if s.perConnection == 1 {
			least, accepts = 4, 1
		}
		calls := r.Sample.Calls
		if r.Void != "" || served(calls) < least*0.6 || math.Abs(calls["accept4"]-accepts) > 0.5 {
			t.Errorf("%s: %s %v\n%s", s.Name, r.Void, calls, r.Output)
		}
	}
}

func TestParserIsMeasured(t *testing.T) {
	b := built(t, "parser")
	r, err := b.measure(b.scenarios[0], turn{peer: "eddy", tool: "benchmark"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	kitty := r.Sample.Parses["kitty"]
	if len(r.Sample.Parses) != 4 || kitty.Bytes != 703 || kitty.NS <= 0 || kitty.Allocations != 0 {
		t.Errorf("%+v", r.Sample.Parses)
	}
}
