package eddy

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Shutdown ends the engine without losing anything: it goes on as before for
// Options.DrainDelay; it serves the connections that wait in the kernel's queues and
// closes the listeners; requests and answers in
// work are finished; idle connections are kept for Options.DrainGrace, in case a
// request is on its way. When ctx ends first, it cuts off what is left and returns
// an error that wraps the context's. It returns when the loops have ended, and so
// does Run; or with an error, a second after ctx, if a callback does not return. It
// must not be called on a loop, which would wait for itself.
func (e *Engine) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	e.leaving.Store(true)
	switch e.stage {
	case ready:
		e.stage = ended
		e.discard()
		for _, ln := range e.listeners {
			ln.unlink()
		}
		close(e.done)
	case running:
		e.stage = draining
		go e.drain()
	}
	e.mu.Unlock()

	select {
	case <-e.done:
		return nil
	case <-ctx.Done():
	}
	e.force(fmt.Errorf("eddy: connections were cut off at the end of the drain: %w", context.Cause(ctx)))
	select {
	case <-e.done:
		return e.cutOff()
	case <-time.After(forceTimeout):
		return errHeld
	}
}

// forceTimeout is how long Shutdown waits for loops that were told to end at once.
const forceTimeout = time.Second

var errHeld = errors.New("eddy: a callback does not return: its loop cannot end")

// cutOff is the reason why connections were cut off, nil if none was.
func (e *Engine) cutOff() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.forced
}

// Draining says that Shutdown was called, or the context of Run cancelled: a handler
// that load balancers ask for readiness should refuse from now on. Connections are
// still accepted for Options.DrainDelay. Any goroutine.
func (e *Engine) Draining() bool { return e.leaving.Load() }

// drain waits for DrainDelay, then tells the loops to finish. No loop does before all
// have stopped accepting, because one may still deal connections to another.
func (e *Engine) drain() {
	if e.options.DrainDelay > 0 {
		select {
		case <-time.After(e.options.DrainDelay):
		case <-e.done: // it was forced
			return
		}
	}
	for _, ln := range e.listeners {
		ln.unlink()
	}
	var accepting sync.WaitGroup
	for _, l := range e.loops {
		accepting.Add(1)
		if err := l.StopAccepting(accepting.Done); err != nil {
			accepting.Done() // the loop has ended
		}
	}
	accepting.Wait()
	for _, l := range e.loops {
		_ = l.Drain(e.options.DrainGrace) // an error says that the loop has ended
	}
}

// force ends all loops at once.
func (e *Engine) force(cause error) {
	e.mu.Lock()
	if e.stage != ended && e.forced == nil {
		e.forced = cause
	}
	e.mu.Unlock()
	for _, l := range e.loops {
		_ = l.Force() // an error says that the loop has ended
	}
}
