package main

import (
	"io"
	"testing"

	"github.com/eddynet/eddy/bench/proc"
)

// TestOneRun builds a server and the load generator, and measures for an instant.
func TestOneRun(t *testing.T) {
	c, err := parseConfig([]string{"-scenario", "plaintext-64,idle-15000,echo-1k", "-peer", "eddy", "-duration", "50ms", "-load", "own"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.checkMachine(); err != nil {
		t.Skip(err)
	}
	if err := proc.Pin(c.serverCPUs + "," + c.clientCPUs); err != nil {
		t.Skip("two processors are needed: ", err)
	}
	programs, err := build(t.TempDir(), c.scenarios)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{config: c, programs: programs}
	for _, s := range c.scenarios {
		if s.idle() {
			s.holders, s.wait = 100, 0
		}
		r, err := b.measure(s, "eddy", "load", 1)
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
