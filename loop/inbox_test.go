package loop

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddynet/eddy/internal/sockets"
	"github.com/eddynet/eddy/poller"
)

// running runs a loop on a goroutine until the test is over, or until stop is
// called, which returns what Run did.
func running(t *testing.T, l *Reactor) (stop func() error) {
	t.Helper()
	result := make(chan error, 1)
	go func() { result <- l.Run() }()
	stop = sync.OnceValue(func() error {
		_ = l.Force() // an error says that it has ended
		return receive(t, result, "the loop ends")
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return stop
}

// receive waits for a value, not for ever.
func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("not after %v: %s", patience, what)
		panic("unreachable")
	}
}

func TestTasksRunInOrder(t *testing.T) {
	r := newRig(t)
	var order []int
	for i := range 10 {
		if err := r.loop.Post(func() { order = append(order, i) }); err != nil {
			t.Fatal(err)
		}
	}
	if len(order) != 0 {
		t.Error("a task ran inside Post")
	}
	r.cycle()
	if fmt.Sprint(order) != "[0 1 2 3 4 5 6 7 8 9]" {
		t.Errorf("order %v", order)
	}
	r.quiet()
}

func TestPostFromManyGoroutines(t *testing.T) {
	const goroutines, each = 16, 2000
	r := newRig(t)
	stop := running(t, r.loop)
	next := make([]int, goroutines) // the loop's
	var disorder atomic.Int64
	var posters sync.WaitGroup
	for g := range goroutines {
		posters.Go(func() {
			for i := range each {
				if err := r.loop.Post(func() {
					if next[g] != i {
						disorder.Add(1)
					}
					next[g] = i + 1
				}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	posters.Wait()
	done := make(chan struct{})
	if err := r.loop.Post(func() { close(done) }); err != nil {
		t.Fatal(err)
	}
	receive(t, done, "the last task runs")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for g, n := range next {
		if n != each {
			t.Errorf("goroutine %d: %d of %d tasks ran", g, n, each)
		}
	}
	if n := disorder.Load(); n > 0 {
		t.Errorf("%d tasks ran out of their goroutine's order", n)
	}
}

// wakes counts the wake-ups.
type wakes struct {
	poller.Backend
	n int
}

func (w *wakes) Wake() error {
	w.n++
	return w.Backend.Wake()
}

// One wake-up serves all that is posted while the loop waits, and none is needed while
// it does not.
func TestWakeUpsAreShared(t *testing.T) {
	r := newRig(t)
	w := &wakes{Backend: r.loop.poller}
	r.loop.poller = w
	ran := 0
	post := func(n int) {
		for range n {
			_ = r.loop.Post(func() { ran++ })
		}
	}
	for i := range 3 {
		if !r.loop.inbox.prepareToWait() {
			t.Fatal("the loop would not wait with an empty inbox")
		}
		post(100)
		if events, err := w.Wait(time.Minute); err != nil || len(events) != 0 { // returns at once: it was woken
			t.Fatalf("Wait: %v, %v", events, err)
		}
		r.loop.inbox.doneWaiting()
		if !r.loop.runTasks() || ran != 110*i+100 || w.n != i+1 {
			t.Fatalf("%d tasks ran, woken %d times, want %d and %d", ran, w.n, 110*i+100, i+1)
		}
		post(10)
		if r.loop.inbox.prepareToWait() || r.loop.timeout() != 0 {
			t.Error("the loop would wait with tasks in its inbox")
		}
		r.loop.inbox.doneWaiting()
		if !r.loop.runTasks() || ran != 110*i+110 || w.n != i+1 {
			t.Fatalf("%d tasks ran, woken %d times, want %d and %d", ran, w.n, 110*i+110, i+1)
		}
	}
}

// Nothing grows without bound: who posts more than the loop runs has an error. What the
// engine itself posts is taken.
func TestInboxFull(t *testing.T) {
	r := newRig(t)
	c, _ := r.open(unixPair, echo{})
	ran := 0
	for i := range maxTasks {
		if err := r.loop.Post(func() { ran++ }); err != nil {
			t.Fatalf("task %d: %v", i, err)
		}
	}
	if err := r.loop.Post(func() { ran++ }); err != ErrInboxFull {
		t.Errorf("Post: %v, want ErrInboxFull", err)
	}
	if err := c.Ref().Do(func(*Conn) { ran++ }); err != ErrInboxFull {
		t.Errorf("Do: %v, want ErrInboxFull", err)
	}
	for range 3 {
		if err := c.Ref().Write([]byte("x")); err != ErrInboxFull {
			t.Errorf("Write: %v, want ErrInboxFull", err)
		}
	}
	if posted := c.posted.Load(); posted != 0 {
		t.Errorf("%d bytes are said to be on their way", posted)
	}
	stopped := false
	if err := r.loop.StopAccepting(func() { stopped = true }); err != nil {
		t.Errorf("StopAccepting: %v", err)
	}
	for !r.loop.runTasks() {
	}
	if ran != maxTasks || !stopped {
		t.Errorf("%d of %d tasks ran, stopped %v", ran, maxTasks, stopped)
	}
	if err := r.loop.Post(func() {}); err != nil {
		t.Errorf("Post to an emptied inbox: %v", err)
	}
}

func TestInboxBudget(t *testing.T) {
	r := newRig(t)
	ran := 0
	var again func()
	again = func() {
		ran++
		_ = r.loop.Post(again) // without pause
	}
	for range 10 {
		_ = r.loop.Post(again)
	}
	r.cycle()
	if ran != inboxBudget {
		t.Errorf("%d tasks in one cycle, want the budget of %d", ran, inboxBudget)
	}
	if r.loop.timeout() != 0 {
		t.Error("the loop would sleep with tasks in its inbox")
	}
	_, peer := r.open(unixPair, echo{})
	peer.send("x")
	r.cycle()
	r.cycle()
	if !peer.has("x")() {
		t.Error("tasks kept a socket waiting")
	}
}

func TestPostFromATaskRunsLater(t *testing.T) {
	r := newRig(t)
	var order []string
	_ = r.loop.Post(func() {
		_ = r.loop.Post(func() { order = append(order, "posted") })
		order = append(order, "first")
	})
	_ = r.loop.Post(func() { order = append(order, "second") })
	r.settled()
	if fmt.Sprint(order) != "[first second posted]" {
		t.Errorf("order %v", order)
	}
}

func TestPostAfterTheEnd(t *testing.T) {
	r := newRig(t)
	c, _ := r.open(unixPair, &script{})
	ref := c.Ref()
	accepted := 0
	for range 3 * inboxBudget {
		if err := r.loop.Post(func() { accepted++ }); err != nil {
			t.Fatal(err)
		}
	}
	r.loop.end()
	if accepted != 3*inboxBudget {
		t.Errorf("%d of %d tasks ran that were accepted before the end", accepted, 3*inboxBudget)
	}
	if err := r.loop.Post(func() { t.Error("ran after the end") }); err != ErrServerClosed {
		t.Errorf("Post after the end: %v, want ErrServerClosed", err)
	}
	if err := ref.Do(func(*Conn) { t.Error("visited after the end") }); err != ErrClosed {
		t.Errorf("Do after the end: %v, want ErrClosed", err)
	}
	if err := ref.Write([]byte("x")); err != ErrClosed {
		t.Errorf("Write after the end: %v, want ErrClosed", err)
	}
}

// A connection that another loop dealt out is not lost in the inbox of a loop that
// is ending: its descriptor would stay open for ever.
func TestConnectionDealtToAnEndingLoop(t *testing.T) {
	r := newRig(t)
	ours, peer := newUnixPair(t)
	fd := ours.release()
	p := &script{}
	r.loop.limit.served.acquire()
	_ = r.loop.Post(func() {
		r.loop.open(r.loop.newConn(fd, sockets.Addr{}), p.Open, &r.loop.count.Accepted)
	})
	r.loop.end()
	p.expect(t, "open", "close:"+ErrServerClosed.Error())
	if !peer.all() {
		t.Error("the descriptor is still open")
	}
	if n := r.loop.limit.served.used.Load(); n != 0 {
		t.Errorf("%d connections counted, want 0", n)
	}
	if s := r.loop.Stats(); s.Accepted != 1 || s.Closed != 1 {
		t.Errorf("stats %+v, want one accepted and closed", s)
	}
}

// Every Post that returned nil is run, whenever the loop ends.
func TestPostWhileTheLoopEnds(t *testing.T) {
	for range 20 {
		r := newRig(t)
		stop := running(t, r.loop)
		var accepted, ran atomic.Int64
		begun := make(chan struct{}, 4)
		var posters sync.WaitGroup
		for range 4 {
			posters.Go(func() {
				for {
					err := r.loop.Post(func() { ran.Add(1) })
					if errors.Is(err, ErrServerClosed) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					if accepted.Add(1) == 1 {
						begun <- struct{}{}
					}
				}
			})
		}
		receive(t, begun, "the first task is accepted")
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		posters.Wait()
		if a, n := accepted.Load(), ran.Load(); a != n {
			t.Fatalf("%d tasks accepted, %d run", a, n)
		}
	}
}

func TestInboxShrinksAfterASpike(t *testing.T) {
	r := newRig(t)
	for range 5 * tasksKept {
		_ = r.loop.Post(func() {})
	}
	r.settled()
	for range 3 { // what is kept is swapped in and out
		_ = r.loop.Post(func() {})
		r.settled()
	}
	if n := cap(r.loop.inbox.tasks) + cap(r.loop.inbox.batch); n > 2*tasksKept {
		t.Errorf("room for %d tasks is kept", n)
	}
}

// Tasks are bounded by time as well: behind slow ones, sockets still get their turn.
func TestSlowTasksDoNotKeepSocketsWaiting(t *testing.T) {
	r := newRig(t)
	_, peer := r.open(unixPair, echo{})
	ran := 0
	for range 1000 {
		_ = r.loop.Post(func() { ran++; r.now.Add(int64(2 * time.Millisecond)) })
	}
	r.cycle()
	if ran > 3 {
		t.Errorf("%d tasks of 2 ms in one cycle", ran)
	}
	peer.send("x")
	r.cycle()
	r.until("the echo arrives", peer.has("x"))
	if ran > 50 {
		t.Errorf("the echo came after %d tasks of 2 ms", ran)
	}
	r.until("all tasks run", func() bool { return ran == 1000 })
}
