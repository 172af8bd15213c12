package loop

import (
	"sync/atomic"
	"time"
)

// Watchdog looks again and again whether a callback holds one of an engine's loops. It
// sleeps while they do.
type Watchdog struct {
	slow   time.Duration
	asleep atomic.Bool
	rouse  chan struct{} // room for one
}

// restAfter is how many times in a row all loops are found at rest before the watchdog
// sleeps.
const restAfter = 20

// NewWatchdog returns the watchdog of loops to which it is given in their Config. A
// callback that takes as long as slow, which is above 0, is counted and reported.
func NewWatchdog(slow time.Duration) *Watchdog {
	return &Watchdog{slow: slow, rouse: make(chan struct{}, 1)}
}

// Run looks at the loops, twice in the time that is too long for a callback, until
// stop is closed.
func (w *Watchdog) Run(loops []*Loop, stop <-chan struct{}) {
	every := max(w.slow/2, 1)
	looks := time.NewTicker(every)
	defer looks.Stop()
	for rest := 0; ; {
		select {
		case <-stop:
			return
		case <-looks.C:
		case <-w.rouse:
			looks.Reset(every)
		}
		if w.look(loops) {
			rest++
		} else {
			rest = 0
		}
		if rest >= restAfter && w.sleep(loops) {
			looks.Stop()
			rest = 0
		}
	}
}

// look inspects the loops, and says whether all of them rest.
func (w *Watchdog) look(loops []*Loop) (rest bool) {
	rest = true
	for _, l := range loops {
		l.inspect()
		rest = l.rests() && rest
	}
	return rest
}

// sleep has the next loop that begins a cycle rouse the watchdog, unless one has begun
// meanwhile: it says whether all of them rest.
func (w *Watchdog) sleep(loops []*Loop) bool {
	w.asleep.Store(true)
	for _, l := range loops {
		if !l.rests() {
			w.asleep.Store(false) // it may not have seen this
			return false
		}
	}
	return true
}

// wake is called by a loop that begins a cycle, and has said so before: either it sees
// that the watchdog sleeps, or the watchdog sees the cycle.
func (w *Watchdog) wake() {
	if w.asleep.Load() && w.asleep.CompareAndSwap(true, false) {
		select {
		case w.rouse <- struct{}{}:
		default: // it is being roused
		}
	}
}
