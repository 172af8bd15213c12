package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/eddynet/eddy/bench/proc"
)

// Counting ends after this many requests, or after this time.
const (
	countedRequests = 3000
	countedTime     = time.Second
)

// counting is the estimated duration of countCalls.
func (s scenario) counting() time.Duration {
	return countedTime + s.connecting + time.Duration(s.connections)*400*time.Microsecond + time.Duration(s.holders)*eachConnection
}

// countCalls counts with strace the system calls of a server under a short load. A
// failure voids this run only.
func (b *bench) countCalls(s scenario, peer string, most time.Duration) (r run, err error) {
	r = run{Scenario: s.Name, Peer: peer, Tool: "strace"}
	v, err := b.start(s, peer)
	if err != nil {
		return r, err
	}
	defer v.stop()
	r.Server = v.line
	args := append(s.loadArgs(v.address, 0, 0, most), "-requests", strconv.Itoa(countedRequests), "-await", "-drain", "-hold")
	g, err := b.generate(args...)
	if err != nil {
		return r, err
	}
	r.Client = g.line
	err = b.trace(&r, s, v, g)
	err = cmp.Or(g.end(), err) // the generator's own error is more specific
	switch {
	case err != nil:
		r.Void = err.Error()
	case r.Sample.Errors.Sum() > 0:
		r.Void = "errors: " + r.Sample.Errors.String()
	}
	return r, nil
}

// trace attaches strace to the server when all connections are made, and detaches it
// after the last response, while they are still open. So it counts the calls of the
// requests alone, and so does the server count its allocations.
func (b *bench) trace(r *run, s scenario, v *server, g *generator) error {
	if err := g.connected(); err != nil {
		return err
	}
	before, err := v.allocations(s, r.Peer)
	if err != nil {
		return err
	}
	var table bytes.Buffer
	trace := b.client("strace", "-c", "-f", "-qq", "-p", strconv.Itoa(v.pid()))
	trace.Stderr = &table
	if err := trace.Start(); err != nil {
		return err
	}
	notTraced := awaitTracer(v.pid())
	if err = g.begin(); err == nil {
		err = g.result(&r.Sample)
	}
	_ = trace.Process.Signal(os.Interrupt) // strace detaches and writes its table; fails if it has ended
	_ = trace.Wait()                       // the error reports the signal
	r.Output = table.String()
	if err := cmp.Or(notTraced, err); err != nil {
		return err
	}
	if r.Sample.Calls, err = parseCalls(r.Output, r.Sample.Requests); err != nil {
		return err
	}
	after, err := v.allocations(s, r.Peer)
	r.Sample.Allocations = float64(after-before) / float64(r.Sample.Requests)
	return err
}

// awaitTracer waits until all threads of a process are traced.
func awaitTracer(pid int) error {
	for limit := time.Now().Add(2 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		traced, err := proc.Traced(pid)
		if traced || err != nil {
			return err
		}
		if time.Now().After(limit) {
			return fmt.Errorf("strace does not attach to process %d: is it permitted? See ptrace(2)", pid)
		}
	}
}

// parseCalls parses strace's table. It returns calls per request, by name.
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
		return nil, fmt.Errorf("strace printed no table: is it permitted? %.300s", table)
	}
	return calls, nil
}

// served sums the calls that serve requests. It excludes nanosleep, which Go's monitor
// thread calls at a rate that depends on time, not on requests.
func served(calls map[string]float64) (sum float64) {
	for name, n := range calls {
		if name != "nanosleep" {
			sum += n
		}
	}
	return sum
}
