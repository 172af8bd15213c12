package eddytls

import (
	"runtime"
	"sync"
	"time"
)

// admissions bounds the handshakes of an Endpoint: how many have a goroutine, and how many
// of these compute.
type admissions struct {
	turns chan struct{} // one for each handshake that computes

	mu      sync.Mutex
	most    int          // running at the same time
	running int          // guarded by mu
	waiting []*handshake // guarded by mu: the first one is next
	count   Stats        // guarded by mu
}

func (a *admissions) begin(most, computing int) {
	a.most, a.turns = most, make(chan struct{}, computing)
}

// acquire waits for a turn to compute. The goroutines that are ready to run, loops above
// all, go first.
func (a *admissions) acquire() {
	a.turns <- struct{}{}
	runtime.Gosched()
}

func (a *admissions) release() { <-a.turns }

// outside runs a callback of the program, during which other handshakes compute. The
// calling goroutine has a turn.
func (a *admissions) outside(callback func()) {
	a.release()
	defer a.acquire() // also when it panics
	callback()
}

// admit starts a handshake, now or when it is its turn.
func (a *admissions) admit(h *handshake) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running == a.most {
		a.waiting = append(a.waiting, h)
		return
	}
	a.running++
	go h.run()
}

// ended counts a handshake, and starts the next one in its place.
func (a *admissions) ended(took time.Duration, resumed bool, f failure) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count.add(took, resumed, f)
	if len(a.waiting) == 0 {
		a.waiting = nil
		a.running--
		return
	}
	next := a.waiting[0]
	a.waiting[0] = nil
	a.waiting = a.waiting[1:]
	go next.run()
}

// failed counts a handshake that has not been admitted.
func (a *admissions) failed(f failure) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count.add(0, false, f)
}

func (a *admissions) stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.count
	s.InProgress, s.Waiting = a.running, len(a.waiting)
	return s
}
