package loop

import (
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/eddynet/eddy/internal/watchdog"
)

// The loop tells the watchdog of its cycles.
func TestWatchdogIsToldOfCycles(t *testing.T) {
	r := newHeldRig(t)
	r.cycle()
	if r.loop.Idle() {
		t.Fatal("idle just after a cycle")
	}
	if !r.loop.Idle() {
		t.Fatal("not idle, with no cycle since the last look")
	}
	_ = r.loop.Post(func() {
		if r.loop.Idle(); r.loop.Idle() {
			t.Error("idle in a callback")
		}
	})
	r.cycle()
}

// A real one, which has gone to sleep before there is anything to report.
func TestWatchdogWakesUpForAHeldLoop(t *testing.T) {
	before := runtime.NumGoroutine()
	var logged logBook
	w := watchdog.New(4 * time.Millisecond)
	l, err := newReactor(Config{Logger: slog.New(&logged), Watchdog: w}, 0, newLimit(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	loops, stop, ended := []watchdog.Loop{l}, make(chan struct{}), make(chan struct{})
	go func() {
		w.Run(loops, stop)
		close(ended)
	}()
	end := running(t, l)
	for range 3 {
		time.Sleep(20 * 4 * time.Millisecond) // more or less the time until it sleeps
		count := l.Stats().SlowCallbacks
		_ = l.Post(func() {
			soon(t, "the watchdog is awake", func() bool { return l.watch.mark.Load() != 0 })
			time.Sleep(10 * time.Millisecond) // after the mark, which is as old as this at least
		})
		soon(t, "it has counted the callback", func() bool { return l.Stats().SlowCallbacks > count })
	}
	if logged.count("blocked the event loop") == 0 {
		t.Error("nothing is logged")
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	close(stop)
	receive(t, ended, "the watchdog ends")
	soon(t, "goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
}

// soon waits for what other goroutines bring about.
func soon(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so after %v: %s", patience, what)
		}
	}
}
