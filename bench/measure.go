package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/eddynet/eddy/bench/proc"
	"github.com/eddynet/eddy/bench/sample"
)

// run is one measurement of one peer, as it is kept.
type run struct {
	Scenario string        `json:"scenario"`
	Peer     string        `json:"peer"`
	Round    int           `json:"round"`
	Tool     string        `json:"tool"` // wrk or load; strace for a run that counts system calls
	Server   string        `json:"server_command"`
	Client   string        `json:"client_command"`
	Output   string        `json:"output,omitempty"` // the tool's own words
	Sample   sample.Sample `json:"sample"`
	Void     string        `json:"void,omitempty"` // why the run does not count
}

// bench is what all runs share.
type bench struct {
	config
	programs *programs
}

// warmUp is how long a server works before it is measured.
const warmUp = 300 * time.Millisecond

// measure starts a peer, checks its answer, puts it under load, and stops it.
func (b *bench) measure(s scenario, peer, tool string, round int) (r run, err error) {
	r = run{Scenario: s.Name, Peer: peer, Round: round, Tool: tool}
	v, err := b.start(s, peer)
	if err != nil {
		return r, err
	}
	defer v.stop()
	r.Server = v.line
	if err := verify(s, v.address); err != nil {
		return r, fmt.Errorf("%s, %s: %w", s.Name, peer, err)
	}
	base, err := proc.RSS(v.pid())
	if err != nil {
		return r, err
	}
	load := b.runLoad
	if tool == "wrk" {
		load = b.runWrk
		if err := b.warm(s, v); err != nil {
			r.Void = err.Error()
			return r, nil
		}
	}
	var before, after counts
	telling := tells(s, peer)
	if telling {
		if before, err = v.counts(false); err != nil {
			return r, err
		}
	}
	if err := load(&r, s, v); err != nil {
		r.Void = err.Error()
		return r, nil
	}
	if telling {
		if after, err = v.counts(false); err != nil {
			return r, err
		}
		if r.Sample.Total > 0 {
			r.Sample.Allocations = float64(after.Allocations-before.Allocations) / float64(r.Sample.Total)
		}
	}
	r.Sample.Base = base
	switch {
	case r.Sample.Errors.Sum() > 0:
		r.Void = "errors: " + r.Sample.Errors.String()
	case r.Sample.Requests == 0:
		r.Void = "no request was answered in the measured time"
	}
	return r, nil
}

// client is the command of a load generator, kept to the client's processors.
func (b *bench) client(args ...string) *exec.Cmd {
	args = append([]string{"-c", b.clientCPUs}, args...)
	return exec.Command("taskset", args...)
}

// runLoad has our own generator make the load.
func (b *bench) runLoad(r *run, s scenario, v *server) error {
	args := s.loadArgs(v.address, v.pid(), warmUp, s.length(b.duration, "load"))
	cmd := b.client(append([]string{b.programs.path("load")}, args...)...)
	cmd.Env = append(cmd.Environ(), "GOMAXPROCS=1")
	r.Client = strings.Join(cmd.Args, " ")
	var failure tail
	cmd.Stderr = &failure
	hold, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	decodeErr := json.NewDecoder(out).Decode(&r.Sample)
	if decodeErr == nil && s.idle() {
		err = b.watchIdle(r, s, v)
	}
	hold.Close()
	if waitErr := cmd.Wait(); waitErr != nil {
		return fmt.Errorf("load: %w: %s", waitErr, strings.TrimSpace(failure.String()))
	}
	if decodeErr != nil {
		return fmt.Errorf("load's output: %w", decodeErr)
	}
	return err
}

// watchIdle measures memory while connections are idle: as it stands, and after free
// memory was given back to the kernel.
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
	if !tells(s, r.Peer) {
		return nil
	}
	if _, err := v.counts(true); err != nil {
		return err
	}
	r.Sample.Idle, err = proc.RSS(v.pid())
	return err
}

// countCalls has strace count a server's system calls under a short load.
func (b *bench) countCalls(s scenario, peer string) (r run, err error) {
	r = run{Scenario: s.Name, Peer: peer, Tool: "strace"}
	v, err := b.start(s, peer)
	if err != nil {
		return r, err
	}
	defer v.stop()
	var table bytes.Buffer
	trace := b.client("strace", "-c", "-f", "-qq", "-p", strconv.Itoa(v.pid()))
	trace.Stderr = &table
	if err := trace.Start(); err != nil {
		return r, err
	}
	time.Sleep(300 * time.Millisecond) // until it is attached
	args := append(s.loadArgs(v.address, 0, 0, 30*time.Second), "-requests", strconv.Itoa(callRequests))
	cmd := b.client(append([]string{b.programs.path("load")}, args...)...)
	r.Server, r.Client = v.line, strings.Join(cmd.Args, " ")
	out, err := cmd.Output()
	v.stop() // which ends strace, and has it write its table
	_ = trace.Wait()
	if err != nil {
		return r, fmt.Errorf("%s: %w", r.Client, err)
	}
	if err := json.Unmarshal(out, &r.Sample); err != nil {
		return r, err
	}
	r.Output = table.String()
	r.Sample.Calls, err = parseCalls(r.Output, r.Sample.Total)
	return r, err
}

// callRequests is enough to make the calls of the connecting count for little.
const callRequests = 3000

// parseCalls reads strace's table: calls per request, by name.
func parseCalls(table string, requests int64) (map[string]float64, error) {
	calls := map[string]float64{}
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		// % time, seconds, usecs/call, calls, errors where there are some, name
		if len(fields) < 5 || fields[len(fields)-1] == "total" {
			continue
		}
		if n, err := strconv.ParseInt(fields[3], 10, 64); err == nil {
			calls[fields[len(fields)-1]] += float64(n) / float64(requests)
		}
	}
	if len(calls) == 0 {
		return nil, fmt.Errorf("strace has no table, may it trace? %.300s", table)
	}
	return calls, nil
}

// served sums the calls that serve requests: without the sleeping of Go's monitor
// thread, which is a matter of time and not of requests.
func served(calls map[string]float64) (sum float64) {
	for name, n := range calls {
		if name != "nanosleep" {
			sum += n
		}
	}
	return sum
}
