package eddy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/eddynet/eddy/loop"
)

// Shutdown ends the engine without losing anything: it goes on for Options.DrainDelay; it serves
// the connections in the kernel's queues and closes the listeners; requests in flight are finished;
// idle connections are kept for Options.DrainGrace, in case a request is on its way. When ctx ends
// first, the remaining connections are cut off, and all callers of Shutdown, and Run, return the
// same error, which wraps the context's, within 0.2 s, also if a callback blocks its loop: then it
// is a *BlockedError too. Not on a loop, which would wait for itself.
func (e *Engine) Shutdown(ctx context.Context) error {
	e.leave()
	e.mu.Lock()
	switch e.stage {
	case ready:
		e.stage = forced
		for _, l := range e.loops {
			_ = l.Force() // none has ended before it runs
		}
		go e.run() // for the tasks that were posted
	case running:
		e.stage = draining
		go e.drain()
	}
	e.mu.Unlock()

	select {
	case <-e.done:
	case <-ctx.Done():
		e.force(fmt.Errorf("eddy: connections were cut off at the end of the drain: %w", context.Cause(ctx)))
		<-e.done
	}
	return e.err
}

// Draining says that Shutdown was called, that the context of Run is cancelled, or that the engine
// has ended: a readiness handler should refuse from now on. Connections are still accepted for
// Options.DrainDelay. Any goroutine.
func (e *Engine) Draining() bool { return e.serving.Err() != nil }

// stopTimeout is how long a drain waits for loops to stop accepting: a callback may block one.
const stopTimeout = 500 * time.Millisecond

// drain waits for DrainDelay, then tells the loops to finish: after all have stopped accepting,
// because one may still dispatch connections to another.
func (e *Engine) drain() {
	if e.options.DrainDelay > 0 {
		select {
		case <-time.After(e.options.DrainDelay):
		case <-e.done: // it was forced
			return
		}
	}
	e.mu.Lock()
	listeners := slices.Clone(e.listeners)
	e.mu.Unlock()
	for _, ln := range listeners {
		ln.unlink()
	}
	e.stopAccepting()
	for _, l := range e.loops {
		_ = l.Drain(e.options.DrainGrace) // an error says that the loop has ended
	}
}

// stopAccepting returns when all loops have stopped, or after stopTimeout.
func (e *Engine) stopAccepting() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	_ = e.ask(ctx, func(l *loop.Reactor, answer func()) error {
		if l.StopAccepting(answer) != nil {
			answer() // the loop has ended
		}
		return nil
	})
}

// forceTimeout is how long a forced end waits for loops.
const forceTimeout = 75 * time.Millisecond

// force ends all loops at once, and the engine within forceTimeout.
func (e *Engine) force(cause error) {
	e.mu.Lock()
	before := e.stage
	if before < forced {
		e.stage = forced
	}
	if before == running || before == draining {
		e.err = cause
	}
	e.mu.Unlock()
	time.AfterFunc(forceTimeout, e.hurry)
	if before < forced {
		for _, l := range e.loops {
			_ = l.Force() // an error says that the loop has ended
		}
	}
}

// end ends the engine when wait has returned, or is overdue. A blocked loop ends by itself later.
func (e *Engine) end(wait func()) {
	over := make(chan struct{})
	go func() {
		wait()
		close(over)
	}()
	select {
	case <-over:
	case <-e.overdue.Done():
	}
	e.mu.Lock()
	e.stage = ended
	blocked, listeners := slices.Clone(e.active), e.listeners
	e.listeners = nil
	for _, ln := range listeners {
		ln.close()
	}
	e.mu.Unlock()
	for _, ln := range listeners {
		ln.unlink()
	}
	for _, l := range blocked {
		e.err = errors.Join(e.err, l.Blocked())
	}
	e.flushLog()
	e.leave()
	e.hurry()
	close(e.done)
}

const (
	// logFlushTimeout is how long the engine waits for its last log lines, after a drain in time.
	logFlushTimeout = time.Second
	// lateFlushTimeout is the same after the drain's deadline.
	lateFlushTimeout = 30 * time.Millisecond
)

// flushLog is called when the loops have ended. A log that nobody reads does not hold up the end.
func (e *Engine) flushLog() {
	ctx, cancel := context.WithTimeout(context.Background(), logFlushTimeout)
	defer cancel()
	defer context.AfterFunc(e.overdue, func() { time.AfterFunc(lateFlushTimeout, cancel) })()
	_ = e.log.Flush(ctx) // there is nowhere to report it
}
