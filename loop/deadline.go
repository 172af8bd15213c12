package loop

import (
	"math"
	"time"

	"github.com/eddynet/eddy/internal/wheel"
)

// SetTimeout schedules EventTimeout after d, in place of any deadline before; zero unsets it. d
// counts from Loop.Now, the start of the cycle. Until the first call, the connection ends when
// nothing was read for Settings.IdleTimeout. Postponing a deadline costs a store. Output that the
// peer does not read has its own deadline, and so has closing: nothing is set after Close.
func (c *Conn) SetTimeout(d time.Duration) {
	if c.state != open {
		return // the state has a deadline of its own
	}
	c.flags |= ownDeadline
	if d <= 0 {
		c.deadline = 0
		return
	}
	c.deadlineAfter(d)
}

func (c *Conn) deadlineAfter(d time.Duration) {
	c.deadline = later(c.loop.now, d)
	c.armTimer()
}

// armTimer makes sure that the timer is early enough. If it is too early, expire arms it again.
func (c *Conn) armTimer() {
	at := c.deadline
	if at == 0 || c.writeBy != 0 && c.writeBy < at {
		at = c.writeBy
	}
	if at == 0 || c.state == closed {
		return
	}
	if tick := tickAfter(at); !c.timer.Armed() || tick < c.timer.When {
		c.loop.wheel.Arm(&c.timer, tick)
	}
}

// endOfTime is 292 years after the start of the clock.
const endOfTime = math.MaxInt64 - wheel.Tick

// later is the time d after t, at most endOfTime.
func later(t int64, d time.Duration) int64 {
	if int64(d) > endOfTime-t {
		return endOfTime
	}
	return t + int64(d)
}

// tickAfter is the first tick that is not before at.
func tickAfter(at int64) int64 { return (at + wheel.Tick - 1) / wheel.Tick }

func (c *Conn) expire(now int64) {
	n := &c.loop.count
	switch {
	case c.writeBy != 0 && c.writeBy <= now:
		n.TimedOut++
		n.WriteTimeouts++
		c.Abort(ErrWriteTimeout)
	case c.deadline == 0 || c.deadline > now:
		// The timer was early.
	case c.state == lingering:
		n.LingerTimeouts++
		c.closeNow(c.cause)
	default:
		n.TimedOut++
		c.deadline = 0
		if !c.is(ownDeadline) && c.state == open {
			c.deadline = later(now, c.settings.IdleTimeout)
		}
		if !c.event(EventTimeout) {
			c.Abort(ErrTimeout)
		}
	}
	c.armTimer()
}

// Timer is a function that waits for its time on a loop.
type Timer struct {
	timer wheel.Timer
	loop  *Loop
	fn    func()
	conn  *Conn // that it ends with, while it is armed; nil for none
}

// After calls fn on the loop once d has passed, in milliseconds, never early. Loop only: see Post.
func (l *Loop) After(d time.Duration, fn func()) *Timer {
	t := &Timer{loop: l, fn: fn}
	t.timer.Owner = t
	// The clock, not now: the time that the current callback has taken does not count.
	l.wheel.Arm(&t.timer, tickAfter(later(l.clock(), d)))
	return t
}

// After is Loop.After, unless the connection is closed by then.
func (c *Conn) After(d time.Duration, fn func(c *Conn)) *Timer {
	t := c.loop.After(d, func() { c.call(fn) })
	if c.state == closed {
		t.Stop()
		return t
	}
	x := c.more()
	if x.timers == nil {
		x.timers = map[*Timer]struct{}{}
	}
	x.timers[t], t.conn = struct{}{}, c
	return t
}

func (t *Timer) unlink() {
	if t.conn != nil {
		delete(t.conn.extra.timers, t)
		t.conn = nil
	}
}

// Stop keeps the function from being called, and reports whether it was in time. Loop only.
func (t *Timer) Stop() bool {
	armed := t.timer.Armed()
	t.loop.wheel.Cancel(&t.timer)
	t.unlink()
	return armed
}

func (t *Timer) expire() {
	t.unlink()
	t.loop.call(t.fn)
}
