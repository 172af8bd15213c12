//go:build linux

package poller_test

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/eddynet/eddy/poller"
)

// Park and Wait may alternate: each sees the events and wake-ups of both, and a poller
// has the same descriptors however it waits.
func TestParkAlternatesWithWait(t *testing.T) {
	p := open(t)
	a, _ := tcpPair(t)
	add(t, p, a, token, 0)
	waits := []func(time.Duration) ([]poller.Event, error){p.Wait, p.Park, p.Park}
	before := openDescriptors()
	for i := range 60 {
		set(t, p, a, token, poller.Writable)
		events, err := waits[i%3](patience)
		if err != nil || len(events) != 1 || events[0] != (poller.Event{Token: token, Ready: poller.Write}) {
			t.Fatalf("wait %d: %v, %v", i, events, err)
		}
		set(t, p, a, token, 0)
		time.AfterFunc(time.Millisecond, func() { wake(t, p) })
		if events, err := waits[i%3](poller.Forever); err != nil || len(events) != 0 {
			t.Fatalf("wait %d: %v, %v after a wake-up", i, events, err)
		}
		if used := openDescriptors(); used != before {
			t.Fatalf("wait %d: %d descriptors, %d before", i, used, before)
		}
	}
}

// A parked wait blocks no thread.
func TestParkWaitsInTheRuntime(t *testing.T) {
	p := open(t)
	done := make(chan error)
	go func() {
		_, err := p.Park(patience)
		done <- err
	}()
	stacks := make([]byte, 1<<20)
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		all := stacks[:runtime.Stack(stacks, true)]
		if i := bytes.Index(all, []byte(".(*Poller).Park(")); i >= 0 {
			head := all[bytes.LastIndex(all[:i], []byte("\ngoroutine "))+1 : i]
			if bytes.Contains(head, []byte("[IO wait")) {
				break
			}
		}
		if time.Now().After(end) {
			t.Fatalf("not parked:\n%s", all)
		}
	}
	wake(t, p)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A deadline that stays armed may end a later wait early, but ends none of a wait's events.
func TestParkKeepsAnEarlierDeadline(t *testing.T) {
	p := open(t)
	a, _ := tcpPair(t)
	add(t, p, a, token, 0)
	start := time.Now()
	for _, timeout := range []time.Duration{5 * time.Millisecond, patience, poller.Forever} {
		wake(t, p)
		if _, err := p.Park(timeout); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Park(poller.Forever); err != nil || time.Since(start) < 5*time.Millisecond {
		t.Fatalf("returned after %v, %v", time.Since(start), err)
	}
	time.AfterFunc(20*time.Millisecond, func() { wake(t, p) })
	if _, err := p.Park(poller.Forever); err != nil || time.Since(start) < 20*time.Millisecond {
		t.Fatalf("returned after %v, %v: the deadline has expired twice", time.Since(start), err)
	}
	set(t, p, a, token, poller.Writable)
	if events, err := p.Park(time.Millisecond); err != nil || len(events) != 1 {
		t.Fatalf("%v, %v", events, err)
	}
}
