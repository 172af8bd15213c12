package loop

import (
	"slices"
	"time"
)

// StopAccepting serves the connections that wait in the kernel's queues, closes
// the loop's listeners and then calls done, which must not block. Call it once. Any
// goroutine.
func (l *Loop) StopAccepting(done func()) error {
	return l.post(task{must: true, run: func() {
		l.onStopped = done
		for _, a := range slices.Clone(l.acceptors) {
			a.drain()
		}
		l.stoppedAccepting(nil)
	}})
}

// stoppedAccepting forgets a listener that is closed.
func (l *Loop) stoppedAccepting(a *Acceptor) {
	l.acceptors = slices.DeleteFunc(l.acceptors, func(other *Acceptor) bool { return other == a })
	if len(l.acceptors) == 0 && l.onStopped != nil {
		l.onStopped()
		l.onStopped = nil
	}
}

// Drain tells every connection that the engine shuts down: a protocol with
// OnShutdown ends it in its own time, others are closed when grace is over. Run
// returns after the last one. Call it when no loop accepts any more. Any goroutine.
func (l *Loop) Drain(grace time.Duration) error {
	return l.post(task{must: true, run: func() {
		l.draining, l.grace = true, grace
		for _, c := range l.table.conns() {
			c.tellDrain()
		}
	}})
}

// tellDrain tells a connection that the engine shuts down. One that comes, or changes
// its protocol, during a drain is told then.
func (c *Conn) tellDrain() {
	if c.state != Open {
		return
	}
	if h, ok := c.protocol.(ShutdownHandler); ok {
		c.call(h.OnShutdown)
		c.attend()
		return
	}
	c.After(c.loop.grace, (*Conn).CloseIdle)
}

// Force ends all connections at once, and the loop with them. Any goroutine.
func (l *Loop) Force() error {
	return l.post(task{must: true, run: func() {
		l.draining, l.forced = true, true
		for _, s := range l.table.sources() {
			s.end(ErrServerClosed)
		}
	}})
}
