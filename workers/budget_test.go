package workers

import (
	"testing"
	"time"
)

func TestBackoffDoublesUntilAWorkerIsStable(t *testing.T) {
	b := backoff{first: 100 * time.Millisecond, most: 500 * time.Millisecond}
	for i, step := range []struct{ served, wait time.Duration }{
		{stable, 0}, // a stable worker is restarted at once
		{0, 100 * time.Millisecond},
		{stable - 1, 200 * time.Millisecond},
		{0, 400 * time.Millisecond},
		{0, 500 * time.Millisecond},
		{0, 500 * time.Millisecond},
		{stable, 0},
		{0, 100 * time.Millisecond},
	} {
		if got := b.after(step.served); got != step.wait {
			t.Errorf("step %d, served for %v: wait %v, want %v", i, step.served, got, step.wait)
		}
	}
}

func TestBudgetForgetsCrashesOutsideTheWindow(t *testing.T) {
	b := budget{most: 2, window: time.Minute}
	at := time.Now()
	for i, step := range []struct {
		after    time.Duration
		exceeded bool
	}{
		{0, false}, {time.Second, false}, {time.Second, true},
		{time.Minute, false}, // only the last crash is within the window
		{time.Second, false}, {time.Second, true},
	} {
		at = at.Add(step.after)
		if got := b.spend(at); got != step.exceeded {
			t.Errorf("crash %d: exceeded %v, want %v; recent %v", i, got, step.exceeded, b.recent)
		}
	}
}
