package loop

import (
	"slices"
	"time"
)

// StopAccepting serves the connections that wait in the kernel's queues, closes
// the loop's listeners and then calls done, which must not block. Call it once. Any
// goroutine.
func (r *Reactor) StopAccepting(done func()) error {
	l := r.Loop
	return l.post(task{unbounded: true, run: func() {
		l.onStopped = done
		for _, a := range slices.Clone(l.acceptors) {
			a.drain()
		}
		l.stoppedAccepting(nil)
	}})
}

// stoppedAccepting forgets a listener that is closed.
func (l *Loop) stoppedAccepting(a *acceptor) {
	l.acceptors = slices.DeleteFunc(l.acceptors, func(other *acceptor) bool { return other == a })
	if len(l.acceptors) == 0 && l.onStopped != nil {
		l.onStopped()
		l.onStopped = nil
	}
}

// Drain has every connection end: EventShutdown leaves it to handlers when, others are
// closed when grace is over. Run returns after the last one. Call it when no loop accepts
// any more. Any goroutine.
func (r *Reactor) Drain(grace time.Duration) error {
	l := r.Loop
	return l.post(task{unbounded: true, run: func() {
		l.draining, l.grace = true, grace
		for _, c := range l.allConns() {
			c.shutdown()
		}
	}})
}

// shutdown tells a connection that the engine drains. A connection that opens, or changes its
// protocol, during a drain gets the event then.
func (c *Conn) shutdown() {
	switch {
	case c.state != open:
	case c.event(EventShutdown):
		c.attend()
	default:
		c.After(c.loop.grace, (*Conn).CloseIdle)
	}
}

// Force ends all connections at once, and the loop with them. Any goroutine.
func (r *Reactor) Force() error {
	l := r.Loop
	return l.post(task{unbounded: true, run: func() {
		l.draining, l.forced = true, true
		for _, s := range l.table.All() {
			s.end(ErrServerClosed)
		}
	}})
}
