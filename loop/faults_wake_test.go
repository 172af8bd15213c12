package loop

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/poller"
)

// deaf is a poller whose wake-ups fail, or are lost without an error.
type deaf struct {
	poller.Backend
	fault fault
	calls atomic.Int64
}

const onWake callName = "poller wake"

func (d *deaf) Wake() error {
	if !d.fault.strikes(int(d.calls.Add(1))) {
		return d.Backend.Wake()
	}
	if d.fault.errno == 0 {
		return nil
	}
	return d.fault.errno
}

// makeDeaf puts a fault between the loop and its wake-ups.
func makeDeaf(l *Reactor, errno unix.Errno, first, every, last int) *deaf {
	d := &deaf{Backend: l.poller, fault: fault{call: onWake, errno: errno, first: first, every: every, last: last}}
	l.poller = d
	return d
}

// asleep waits until the loop is about to wait.
func asleep(l *Reactor) {
	for deadline := time.Now().Add(patience); !l.inbox.asleep.Load() && time.Now().Before(deadline); {
		time.Sleep(100 * time.Microsecond)
	}
}

// What Post has taken runs, even if nothing else ever wakes the loop.
func TestFailedWakeIsTriedAgain(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EAGAIN, unix.EINTR, unix.EIO, unix.ENOMEM} {
		for _, fails := range []int{1, 3} {
			r := newRig(t)
			makeDeaf(r.loop, errno, 1, 1, fails)
			stop := running(t, r.loop)
			asleep(r.loop)
			ran := make(chan struct{})
			if err := r.loop.Post(func() { close(ran) }); err != nil {
				t.Fatal(err)
			}
			receive(t, ran, "the task runs")
			if err := stop(); err != nil {
				t.Error(err)
			}
			if n := r.logged.count("wake a loop"); n == 0 || n > fails {
				t.Errorf("%d log lines on %d failures", n, fails)
			}
		}
	}
}

// A task that finds the loop unwoken wakes it, and with it those before.
func TestNextTaskWakesALoopThatCouldNotBeWoken(t *testing.T) {
	r := newRig(t)
	d := makeDeaf(r.loop, unix.EAGAIN, 1, 1, 1)
	r.loop.inbox.prepareToWait() // the loop is about to wait
	for range 2 {
		_ = r.loop.Post(func() {})
	}
	if n := d.calls.Load(); n != 2 {
		t.Errorf("%d wake-ups tried, want one for each task", n)
	}
	_ = r.loop.Post(func() {})
	if n := d.calls.Load(); n != 2 {
		t.Errorf("%d wake-ups tried, want none after a success", n)
	}
}

// Tasks of several goroutines run once and in order on a loop whose wake-ups fail, and
// its connections are served. A wake-up that is lost without an error is made up for by
// the next event.
func TestFaultsInWakeUps(t *testing.T) {
	for _, errno := range []unix.Errno{0, unix.EAGAIN, unix.EINTR, unix.EIO} {
		for _, every := range []int{1, 2, 3} {
			f := fault{call: onWake, errno: errno, first: 1, every: every, last: 20}
			t.Run(fmt.Sprintf("%v", f), func(t *testing.T) { postersOf(t, f) })
		}
	}
}

func postersOf(t *testing.T, f fault) {
	const posters, tasks = 4, 100
	r := newRig(t)
	_, addr := r.listen("tcp4", "127.0.0.1:0", echo{})
	d := makeDeaf(r.loop, f.errno, f.first, f.every, f.last)
	stop := running(t, r.loop)
	client := dial(t, addr)

	var ran [posters][]int // the loop's own
	var done atomic.Int64
	var wait sync.WaitGroup
	for p := range posters {
		wait.Go(func() {
			for n := range tasks {
				if n%10 == 0 {
					asleep(r.loop)
				}
				if err := r.loop.Post(func() { ran[p] = append(ran[p], n); done.Add(1) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	for deadline := time.Now().Add(patience); f.errno != 0 && done.Load() < posters*tasks; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d tasks ran, and nothing wakes the loop", done.Load(), posters*tasks)
		}
	}
	client.send("served")
	client.wait(unix.POLLIN)
	if client.pull(1 << 10); string(client.got) != "served" {
		t.Errorf("the client got %q", client.got)
	}
	if d.calls.Load() == 0 {
		t.Error("the fault did not strike")
	}
	_ = d.Backend.Wake()             // one that nobody has asked for
	d.calls.Store(int64(f.last) + 1) // no more faults
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for p, order := range ran {
		for n := range tasks {
			if len(order) != tasks || order[n] != n {
				t.Fatalf("poster %d: ran %v", p, order)
			}
		}
	}
}
