package loop

import (
	"log/slog"
	"runtime"
	"testing"
	"time"
)

func TestWatchdogSleepsWhileLoopsRest(t *testing.T) {
	r := newHeldRig(t)
	w := r.loop.watch.dog
	loops := []*Loop{r.loop}
	r.cycle()
	if w.look(loops) {
		t.Fatal("at rest just after a cycle")
	}
	if !w.look(loops) {
		t.Fatal("not at rest, with no cycle since the last look")
	}
	if !w.sleep(loops) || !w.asleep.Load() {
		t.Fatal("it does not sleep")
	}
	r.cycle()
	if w.asleep.Load() || len(w.rouse) != 1 {
		t.Error("a cycle does not rouse it")
	}
	r.cycle()
	if len(w.rouse) != 1 {
		t.Error("it is roused twice")
	}
}

func TestWatchdogDoesNotSleepThroughACycle(t *testing.T) {
	r := newHeldRig(t)
	w := r.loop.watch.dog
	loops := []*Loop{r.loop}
	w.look(loops)
	if !w.look(loops) {
		t.Fatal("not at rest")
	}
	r.cycle() // before it could go to sleep
	if w.sleep(loops) || w.asleep.Load() {
		t.Error("it sleeps though a cycle has begun")
	}
	_ = r.loop.Post(func() {
		if w.look(loops); w.look(loops) {
			t.Error("at rest in a callback")
		}
	})
	r.cycle()
}

// A real one, which has gone to sleep before there is anything to report.
func TestWatchdogWakesUpForAHeldLoop(t *testing.T) {
	before := runtime.NumGoroutine()
	var logged logBook
	w := NewWatchdog(4 * time.Millisecond)
	l, err := New(Config{Logger: slog.New(&logged), Limit: NewLimit(1, 0), Watchdog: w})
	if err != nil {
		t.Fatal(err)
	}
	loops, stop, ended := []*Loop{l}, make(chan struct{}), make(chan struct{})
	go func() {
		w.Run(loops, stop)
		close(ended)
	}()
	end := running(t, l)
	for range 3 {
		soon(t, "it sleeps", w.asleep.Load)
		count := l.Stats().SlowCallbacks
		release := make(chan struct{})
		_ = l.Post(func() { <-release })
		soon(t, "it is awake", func() bool { return !w.asleep.Load() })
		time.Sleep(10 * time.Millisecond) // the callback takes this long at least
		close(release)
		soon(t, "it has counted the callback", func() bool { return l.Stats().SlowCallbacks > count })
	}
	if logged.count("held its loop") == 0 {
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
