package watchdog

import (
	"testing"
	"time"
)

// fakeLoop is busy when a cycle has begun since the last look.
type fakeLoop struct{ cycles, seen, inspected int }

func (l *fakeLoop) Inspect() { l.inspected++ }

func (l *fakeLoop) Idle() bool {
	idle := l.seen == l.cycles
	l.seen = l.cycles
	return idle
}

func TestWatchdogSleepsWhileLoopsAreIdle(t *testing.T) {
	w, l := New(time.Second), &fakeLoop{cycles: 1}
	loops := []Loop{l}
	if w.look(loops) {
		t.Fatal("idle just after a cycle")
	}
	if !w.look(loops) {
		t.Fatal("not idle, with no cycle since the last look")
	}
	if l.inspected != 2 {
		t.Fatalf("inspected %d times in 2 looks", l.inspected)
	}
	if !w.sleep(loops) || !w.asleep.Load() {
		t.Fatal("it does not sleep")
	}
	w.Wake()
	if w.asleep.Load() || len(w.wakeup) != 1 {
		t.Error("a cycle does not wake it")
	}
	w.Wake()
	if len(w.wakeup) != 1 {
		t.Error("it is woken twice")
	}
}

func TestWatchdogDoesNotSleepThroughACycle(t *testing.T) {
	w, busy, idle := New(time.Second), &fakeLoop{}, &fakeLoop{}
	loops := []Loop{idle, busy}
	if !w.look(loops) {
		t.Fatal("not idle")
	}
	busy.cycles++ // before the watchdog could go to sleep
	if w.sleep(loops) || w.asleep.Load() {
		t.Error("it sleeps though a cycle has begun")
	}
}
