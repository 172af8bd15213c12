// Package watchdog looks whether loops are blocked, and takes the stacks of goroutines.
package watchdog

import (
	"sync/atomic"
	"time"
)

// Loop is a loop that the watchdog inspects. Its methods are called by the watchdog alone.
type Loop interface {
	// Inspect reports a callback that blocks the loop.
	Inspect()
	// Idle reports whether the loop has been waiting since the last call.
	Idle() bool
}

// Watchdog looks at an engine's loops at intervals. It sleeps while they are idle.
type Watchdog struct {
	slow   time.Duration
	asleep atomic.Bool
	wakeup chan struct{} // room for one
}

// idleLooks is how many times in a row all loops are found idle before the watchdog
// sleeps.
const idleLooks = 20

// New returns a watchdog for callbacks that take as long as slow, which is above 0.
func New(slow time.Duration) *Watchdog {
	return &Watchdog{slow: slow, wakeup: make(chan struct{}, 1)}
}

// Slow is the duration from which a callback is slow.
func (w *Watchdog) Slow() time.Duration { return w.slow }

// Run looks at the loops twice in the time that makes a callback slow, until stop is
// closed.
func (w *Watchdog) Run(loops []Loop, stop <-chan struct{}) {
	every := max(w.slow/2, 1)
	looks := time.NewTicker(every)
	defer looks.Stop()
	for idle := 0; ; {
		select {
		case <-stop:
			return
		case <-looks.C:
		case <-w.wakeup:
			looks.Reset(every)
		}
		if w.look(loops) {
			idle++
		} else {
			idle = 0
		}
		if idle >= idleLooks && w.sleep(loops) {
			looks.Stop()
			idle = 0
		}
	}
}

// look inspects the loops, and reports whether all of them are idle.
func (w *Watchdog) look(loops []Loop) (idle bool) {
	idle = true
	for _, l := range loops {
		l.Inspect()
		idle = l.Idle() && idle
	}
	return idle
}

// sleep makes the next loop that begins a cycle wake the watchdog, unless one has begun
// meanwhile: it reports whether all of them are idle.
func (w *Watchdog) sleep(loops []Loop) bool {
	w.asleep.Store(true)
	for _, l := range loops {
		if !l.Idle() {
			w.asleep.Store(false) // that loop may not have seen it
			return false
		}
	}
	return true
}

// Wake is called by a loop that has published the beginning of a cycle: either the loop
// sees that the watchdog sleeps, or the watchdog sees the cycle.
func (w *Watchdog) Wake() {
	if w.asleep.Load() && w.asleep.CompareAndSwap(true, false) {
		select {
		case w.wakeup <- struct{}{}:
		default: // a wakeup is pending
		}
	}
}
