package loop

import "time"

// StopAccepting serves the connections that wait in the kernel's queues, closes
// the loop's listeners and calls done. Any goroutine.
func (l *Loop) StopAccepting(done func()) error {
	return l.Post(func() {
		for _, a := range l.acceptors {
			a.drain()
		}
		l.acceptors = nil
		done()
	})
}

// Drain tells every connection that the engine shuts down: a protocol with
// OnShutdown ends it in its own time, others are closed when grace is over. Run
// returns after the last one. Call it when no loop accepts any more. Any goroutine.
func (l *Loop) Drain(grace time.Duration) error {
	return l.Post(func() {
		l.draining = true
		for _, c := range l.table.conns() {
			if h, ok := c.protocol.(ShutdownHandler); ok && c.state == Open {
				c.call(h.OnShutdown)
				c.attend()
			}
		}
		l.After(grace, l.closeUntold)
	})
}

// closeUntold closes the connections that cannot be told of a drain.
func (l *Loop) closeUntold() {
	for _, c := range l.table.conns() {
		if _, ok := c.protocol.(ShutdownHandler); !ok {
			c.Close()
		}
	}
}

// Force ends all connections at once, and the loop with them. Any goroutine.
func (l *Loop) Force() error {
	return l.Post(func() {
		l.draining = true
		for _, a := range l.acceptors {
			a.close()
		}
		for _, c := range l.table.conns() {
			c.end(ErrServerClosed)
		}
	})
}
