package loop

import (
	"math"
	"time"
)

// SetDeadline has OnTimeout called once d has passed, in place of any deadline
// before; zero unsets it. d counts from the start of the loop's cycle, Loop.Now, so a
// callback that has run for long before the call has that much less. Until the first
// call, the connection ends when nothing was read for Settings.IdleTimeout. Moving a
// deadline back costs a store.
//
// Output that the peer does not take has a deadline of its own, which always runs.
// So has closing: after Close, SetDeadline does nothing.
func (c *Conn) SetDeadline(d time.Duration) {
	if c.state != Open {
		return // the state has a deadline of its own
	}
	c.flags |= ownDeadline
	if d <= 0 {
		c.deadline = 0
		return
	}
	c.deadline = later(c.loop.now, d)
	c.armTimer()
}

// armTimer makes sure that the timer is early enough. It may be too early: then
// expire arms it anew.
func (c *Conn) armTimer() {
	at := c.deadline
	if at == 0 || c.writeBy != 0 && c.writeBy < at {
		at = c.writeBy
	}
	if at == 0 || c.state == Closed {
		return
	}
	if tick := tickAfter(at); !c.timer.armed() || tick < c.timer.when {
		c.loop.wheel.arm(&c.timer, tick)
	}
}

// endOfTime is 292 years after the start of the clock.
const endOfTime = math.MaxInt64 - tickNanos

// later is the time d after t. Some people's durations are for ever.
func later(t int64, d time.Duration) int64 {
	if int64(d) > endOfTime-t {
		return endOfTime
	}
	return t + int64(d)
}

// tickAfter is the first tick that is not before the time at.
func tickAfter(at int64) int64 { return (at + tickNanos - 1) / tickNanos }

// expire looks which deadline has passed, if any.
func (c *Conn) expire(now int64) {
	switch {
	case c.writeBy != 0 && c.writeBy <= now:
		c.loop.count.TimedOut++
		c.loop.count.WriteTimeouts++
		c.Abort(ErrWriteTimeout)
	case c.deadline != 0 && c.deadline <= now:
		c.deadline = 0
		if !c.is(ownDeadline) && c.state == Open {
			c.deadline = later(now, c.settings.IdleTimeout)
		}
		c.timedOut()
	}
	c.armTimer()
}

func (c *Conn) timedOut() {
	if c.state == Lingering {
		c.loop.count.LingerTimeouts++
		c.closeNow(c.cause)
		return
	}
	c.loop.count.TimedOut++
	if h, ok := c.protocol.(TimeoutHandler); ok {
		c.call(h.OnTimeout)
		return
	}
	c.Abort(ErrTimeout)
}

// Timer is a function that waits for its time on a loop.
type Timer struct {
	timer
	loop         *Loop
	fn           func()
	conn         *Conn  // that it ends with; nil for none
	newer, older *Timer // of the same connection, while it is armed
}

// After calls fn on the loop once d has passed. The resolution is a millisecond,
// and it is never early. Loop only: from elsewhere, Post a function that calls it.
func (l *Loop) After(d time.Duration, fn func()) *Timer {
	t := &Timer{loop: l, fn: fn}
	t.owner = t
	// The clock, not now: a callback that has held the loop for a while counts
	// from here.
	l.wheel.arm(&t.timer, tickAfter(later(l.clock(), d)))
	return t
}

// After calls fn on the loop once d has passed, unless the connection is closed by
// then. The resolution is a millisecond, and it is never early.
func (c *Conn) After(d time.Duration, fn func(c *Conn)) *Timer {
	t := c.loop.After(d, func() { c.call(fn) })
	if c.state == Closed {
		t.Stop()
		return t
	}
	t.conn, t.older = c, c.timers
	if t.older != nil {
		t.older.newer = t
	}
	c.timers = t
	return t
}

// unlink takes the timer off its connection's list.
func (t *Timer) unlink() {
	c := t.conn
	if c == nil {
		return
	}
	if t.newer != nil {
		t.newer.older = t.older
	} else {
		c.timers = t.older
	}
	if t.older != nil {
		t.older.newer = t.newer
	}
	t.conn, t.newer, t.older = nil, nil, nil
}

// Stop keeps the function from being called, and says whether it was in time.
// Loop only.
func (t *Timer) Stop() bool {
	armed := t.armed()
	t.loop.wheel.cancel(&t.timer)
	t.unlink()
	return armed
}

func (t *Timer) expire(int64) {
	t.unlink()
	t.loop.call(t.fn)
}
