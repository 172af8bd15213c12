package loop

// copyLimit is the size in bytes up to which joining a write to the one before it is
// cheaper than a segment of its own.
const copyLimit = 4 << 10

// Ref is the handle of a connection that may leave its loop. A connection that is
// gone makes it harmless. It may be copied. The zero Ref refers to no connection.
type Ref struct{ c *Conn }

// Ref returns the connection's handle for other goroutines.
func (c *Conn) Ref() Ref { return Ref{c} }

// Do runs fn on the connection's loop. It returns ErrClosed when the connection is
// gone, ErrServerClosed when its loop has ended meanwhile, ErrInboxFull when that does
// not keep up with posted tasks. If the connection closes before fn has run, fn is not
// called: EventClosed tells of it. Any goroutine.
func (r Ref) Do(fn func(c *Conn)) error {
	if r.Gone() {
		return ErrClosed
	}
	return r.c.loop.post(task{conn: r.c, visit: fn})
}

// DoUnbounded is Do without a bound on the inbox, for tasks that are bounded by other
// means. Any goroutine.
func (r Ref) DoUnbounded(fn func(c *Conn)) error {
	if r.Gone() {
		return ErrClosed
	}
	return r.c.loop.post(task{conn: r.c, visit: fn, unbounded: true})
}

// Write appends a copy of p to the connection's pending output. It returns ErrClosed when
// the connection is closing or gone, and ErrOutputFull, with nothing written, while
// the output is above its high-water mark. Writes of one goroutine keep their
// order. Any goroutine.
func (r Ref) Write(p []byte) error {
	if r.c == nil || r.c.shared.Load()&refMute != 0 {
		return ErrClosed
	}
	c, n := r.c, int64(len(p))
	if c.shared.Load()&refFull != 0 {
		return ErrOutputFull
	}
	// Beyond the mark one write may be on its way, whatever its size.
	if posted := c.posted.Add(n); posted > c.settings.HighWater && posted > n {
		c.posted.Add(-n)
		return ErrOutputFull
	}
	if err := c.loop.postOutput(c, p); err != nil {
		c.posted.Add(-n)
		return err
	}
	return nil
}

// writePosted appends output that Ref.Write has sent through the inbox.
func (c *Conn) writePosted(p []byte) {
	if q, err := c.queueBeyond(); err == nil { // Write has bounded it; EventClosed reports a loss, as Do says
		if len(p) > copyLimit {
			q.WriteOwned(p, nil)
		} else {
			q.Write(p)
		}
		c.markFull()
	}
	// Only now may further writes come: when the output is full, they know.
	c.posted.Add(-int64(len(p)))
}

// Gone reports that the connection is closed. Any goroutine.
func (r Ref) Gone() bool { return r.c == nil || r.c.shared.Load()&refGone != 0 }
