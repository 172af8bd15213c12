package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"time"

	"github.com/eddynet/eddy/bench/proc"
	"github.com/eddynet/eddy/bench/sample"
)

// run is one measurement of one peer, as it is stored.
type run struct {
	Scenario string        `json:"scenario"`
	Peer     string        `json:"peer"`
	Round    int           `json:"round"`
	Swapped  bool          `json:"swapped,omitempty"` // server and load have changed their processors
	Tool     string        `json:"tool"`              // wrk or load; strace for system calls, benchmark for a parser alone
	Server   string        `json:"server_command"`
	Client   string        `json:"client_command"`
	Output   string        `json:"output,omitempty"` // of the tool
	Sample   sample.Sample `json:"sample"`
	Void     string        `json:"void,omitempty"` // why the run is void
}

// bench is shared by all runs.
type bench struct {
	config
	programs *programs
	order    *rand.Rand // of the turns in a round
}

func newBench(c config, programs *programs) *bench {
	return &bench{config: c, programs: programs, order: rand.New(rand.NewPCG(uint64(c.seed), 0))}
}

// warmUp is the time under load before the measured time.
const warmUp = 300 * time.Millisecond

// measure starts a peer, verifies its response, puts it under load, and stops it.
func (b *bench) measure(s scenario, t turn, round int) (r run, err error) {
	r = run{Scenario: s.Name, Peer: t.peer, Round: round, Swapped: t.swapped, Tool: t.tool}
	if s.protocol == "parser" {
		return r, b.parse(&r, t.peer)
	}
	v, err := b.start(s, t.peer)
	if err != nil {
		return r, err
	}
	defer v.stop()
	r.Server = v.line
	if err := verify(s, v.address); err != nil {
		r.Void = err.Error() // an old build may lack a route
		return r, nil
	}
	base, err := proc.RSS(v.pid())
	if err != nil {
		return r, err
	}
	load := b.runLoad
	if t.tool == "wrk" {
		load = b.runWrk
		if err := b.warm(s, v); err != nil {
			r.Void = err.Error()
			return r, nil
		}
	}
	before, err := v.allocations(s, t.peer)
	if err != nil {
		return r, err
	}
	if err := load(&r, s, v); err != nil {
		r.Void = err.Error()
		return r, nil
	}
	after, err := v.allocations(s, t.peer)
	if err != nil {
		return r, err
	}
	if r.Sample.Total > 0 {
		r.Sample.Allocations = float64(after-before) / float64(r.Sample.Total)
	}
	r.Sample.Base = base
	switch {
	case r.Sample.Errors.Sum() > 0:
		r.Void = "errors: " + r.Sample.Errors.String()
	case r.Sample.Requests == 0:
		r.Void = "no response within the measured time"
	}
	return r, nil
}

// client is the command of a load generator, pinned to the client's processors.
func (b *bench) client(args ...string) *exec.Cmd {
	args = append([]string{"-c", b.clientCPUs}, args...)
	return exec.Command("taskset", args...)
}

// runLoad makes the load with our own generator.
func (b *bench) runLoad(r *run, s scenario, v *server) error {
	g, err := b.generate(s.loadArgs(v.address, v.pid(), warmUp, s.length(b.duration, "load"))...)
	if err != nil {
		return err
	}
	r.Client = g.line
	err = g.result(&r.Sample)
	if err == nil && s.idle() {
		err = b.watchIdle(r, s, v)
	}
	return cmp.Or(g.end(), err) // the generator's own error is more specific
}

// watchIdle measures memory while connections are idle, before and after free memory is
// returned to the kernel.
func (b *bench) watchIdle(r *run, s scenario, v *server) (err error) {
	time.Sleep(s.wait)
	r.Sample.Requests = r.Sample.Total
	if open, err := proc.Open(v.pid()); err != nil || open < s.holders {
		return fmt.Errorf("the server has %d descriptors open, want %d connections: %w", open, s.holders, err)
	}
	if r.Sample.RSS, err = proc.RSS(v.pid()); err != nil {
		return err
	}
	r.Sample.Idle = r.Sample.RSS
	if !reportsCounts(s, r.Peer) {
		return nil
	}
	if _, err := v.counts(true); err != nil {
		return err
	}
	r.Sample.Idle, err = proc.RSS(v.pid())
	return err
}
