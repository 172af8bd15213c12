package loop

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"
)

func TestIdleConnectionIsAborted(t *testing.T) {
	r := newRig(t)
	r.settings.IdleTimeout = time.Minute
	p := &script{}
	_, peer := r.open(unixPair, p)
	r.pass(59 * time.Second)
	peer.send("x")
	r.until("input arrives", func() bool { return p.count("data:") == 1 })
	r.pass(59 * time.Second)
	if p.ended() {
		t.Fatalf("ended before a minute had passed without input: %q", p.calls)
	}
	r.pass(time.Second)
	p.expect(t, "open", "data:x", "close:"+ErrTimeout.Error())
	if got := r.loop.Stats().TimedOut; got != 1 {
		t.Errorf("TimedOut %d, want 1", got)
	}
}

func TestDeadlineIsNeverEarly(t *testing.T) {
	for _, d := range []time.Duration{1, time.Microsecond, time.Millisecond, 1500 * time.Microsecond,
		64 * time.Millisecond, time.Second + 1, time.Hour} {
		r := newRig(t)
		r.now.Add(123_456) // not on a tick
		r.cycle()
		p := withTimeout(&script{}, nil)
		c, _ := r.open(unixPair, p)
		c.SetTimeout(d)
		r.pass(d - 1)
		if p.count("timeout") != 0 {
			t.Errorf("%v: early", d)
		}
		r.pass(time.Millisecond)
		if p.count("timeout") != 1 {
			t.Errorf("%v: not there a millisecond later", d)
		}
	}
}

func TestTimeoutHandlerDecides(t *testing.T) {
	r := newRig(t)
	p := withTimeout(&script{}, nil)
	c, _ := r.open(unixPair, p)
	p2 := withTimeout(p.script, func(c *Conn) {
		if p.count("timeout") < 3 {
			c.SetTimeout(time.Second)
			return
		}
		c.Abort(ErrTimeout)
	})
	c.handler = p2
	c.SetTimeout(time.Second)
	for i := range 3 {
		r.pass(time.Second)
		if got := p.count("timeout"); got != i+1 {
			t.Fatalf("after %d seconds: OnTimeout %d times", i+1, got)
		}
	}
	r.settled()
	p.expect(t, "open", "timeout", "timeout", "timeout", "close:"+ErrTimeout.Error())
}

func TestPassedDeadlineIsUnset(t *testing.T) {
	r := newRig(t)
	p := withTimeout(&script{}, nil)
	c, _ := r.open(unixPair, p)
	c.SetTimeout(time.Second)
	r.pass(time.Second)
	r.pass(time.Hour)
	p.expect(t, "open", "timeout")
	r.quiet()
}

// A timer of a connection that was closed does nothing, however long it was armed.
func TestClosedConnectionHasNoTimeout(t *testing.T) {
	r := newRig(t)
	p := withTimeout(&script{}, nil)
	c, _ := r.open(unixPair, p)
	c.SetTimeout(time.Second)
	c.Abort(nil)
	r.pass(time.Minute)
	p.expect(t, "open", "close:<nil>")
	if got := r.loop.Stats().TimedOut; got != 0 {
		t.Errorf("TimedOut %d, want 0", got)
	}
}

// Moving a deadline back costs a store: the timer stays and is looked at when it
// goes off. Moving it forward moves the timer.
func TestDeadlineMoves(t *testing.T) {
	r := newRig(t)
	p := withTimeout(&script{}, nil)
	c, _ := r.open(unixPair, p)

	c.SetTimeout(10 * time.Second)
	armed := c.timer.When
	c.SetTimeout(20 * time.Second)
	if c.timer.When != armed {
		t.Error("the timer was moved for a later deadline")
	}
	r.pass(10 * time.Second)
	if p.count("timeout") != 0 {
		t.Fatal("went off at the earlier time")
	}
	c.SetTimeout(5 * time.Second)
	r.pass(5 * time.Second)
	if p.count("timeout") != 1 {
		t.Fatal("did not go off at the time it was moved forward to")
	}

	c.SetTimeout(5 * time.Second)
	c.SetTimeout(0)
	r.pass(time.Hour)
	if p.count("timeout") != 1 {
		t.Fatal("went off though it was unset")
	}
	r.quiet()
}

// Input does not move a deadline that the protocol has set.
func TestOwnDeadlineStandsWhileInputComes(t *testing.T) {
	r := newRig(t)
	p := withTimeout(&script{}, nil)
	c, peer := r.open(unixPair, p)
	c.SetTimeout(10 * time.Second)
	for i := range 9 {
		peer.send("slow")
		r.until("input arrives", func() bool { return len(p.input) == 4*(i+1) })
		r.pass(time.Second)
	}
	if p.count("timeout") != 0 {
		t.Fatal("early")
	}
	r.pass(time.Second)
	if p.count("timeout") != 1 {
		t.Error("input has moved the deadline")
	}
}

// For ever is a popular deadline.
func TestDeadlineBeyondTheEndOfTime(t *testing.T) {
	const forever = time.Duration(math.MaxInt64)
	r := newRig(t)
	r.settings.IdleTimeout, r.settings.WriteTimeout, r.settings.LingerTimeout = forever, forever, forever
	idle, own, pending, lingering := &script{}, &script{}, &script{}, &script{}
	_, idlePeer := r.open(unixPair, idle)
	idlePeer.send("x")
	c, _ := r.open(unixPair, own)
	c.SetTimeout(forever)
	c.After(forever, func(*Conn) { t.Error("a timer of all eternity went off") })
	ours, _ := slowPair(t, unixPair)
	c = r.adopt(ours, pending)
	_, _ = c.Write(pattern(1 << 20))
	c, _ = r.open(unixPair, lingering)
	c.Close()
	r.cycle()
	for range 20 {
		r.pass(24 * time.Hour)
	}
	for _, p := range []*script{idle, own, pending, lingering} {
		if p.ended() {
			t.Errorf("calls %q, want it open for ever", p.calls)
		}
	}
}

func TestPeerThatNeverReads(t *testing.T) {
	r := newRig(t)
	r.settings.WriteTimeout = 30 * time.Second
	ours, peer := slowPair(t, unixPair)
	p := &script{}
	c := r.adopt(ours, p)
	c.SetTimeout(0) // has no say in this
	_, _ = c.Write(pattern(1 << 20))
	r.settled()
	for range 29 {
		peer.offer([]byte("x")) // it is alive, but does not read
		r.pass(time.Second)
	}
	if p.ended() {
		t.Fatalf("ended early: %q", p.calls)
	}
	r.pass(time.Second)
	if p.count("close:"+ErrWriteTimeout.Error()) != 1 {
		t.Errorf("calls %q, want the end with %v", p.calls, ErrWriteTimeout)
	}
	if s := r.loop.Stats(); s.TimedOut != 1 || s.WriteTimeouts != 1 {
		t.Errorf("%+v, want one timeout, of writing", s)
	}
}

// A trickle is not enough to hold a connection: less than progressStep within
// WriteTimeout.
func TestPeerThatTrickles(t *testing.T) {
	r := newRig(t)
	r.settings.WriteTimeout = 30 * time.Second
	ours, peer := newUnixPair(t)
	ours.buffers(1, 1) // so that every little bit that is taken makes room for more
	p := &script{}
	c := r.adopt(ours, p)
	c.SetTimeout(0)
	_, _ = c.Write(pattern(4 << 20))
	r.settled()
	before := c.Pending()
	seconds := 0
	for !p.ended() {
		if seconds++; seconds > 120 {
			t.Fatalf("a peer that takes 300 bytes a second is still there: %d pending", c.Pending())
		}
		if peer.pull(300); seconds == 25 && c.Pending() == before {
			t.Fatal("nothing was taken: this shows nothing")
		}
		r.pass(time.Second)
	}
	p.expect(t, "open", "close:"+ErrWriteTimeout.Error())
}

// A slow reader that makes progress may take as long as it takes.
func TestSlowReaderWithProgressIsKept(t *testing.T) {
	r := newRig(t)
	r.settings.WriteTimeout = 30 * time.Second
	ours, peer := slowPair(t, unixPair)
	p := &script{}
	c := r.adopt(ours, p)
	c.SetTimeout(0)
	want := pattern(2 << 20)
	_, _ = c.Write(want)
	c.Close()
	rounds := 0
	for ; !peer.eof; rounds++ {
		if p.ended() {
			t.Fatalf("calls %q after %d bytes", p.calls, len(peer.got))
		}
		if rounds > 1000 {
			t.Fatalf("%d bytes after %d rounds", len(peer.got), rounds)
		}
		r.take(peer, 40_000)
		r.pass(20 * time.Second)
	}
	if !bytes.Equal(peer.got, want) || rounds < 20 {
		t.Errorf("%d of %d bytes in %d rounds of 20 s", len(peer.got), len(want), rounds)
	}
}

// Progress is what the peer takes, not by how much the queue gets shorter: a
// stream is written to as fast as it is read.
func TestStreamThatNeverRunsEmptyMakesProgress(t *testing.T) {
	r := newRig(t)
	r.settings.WriteTimeout = 30 * time.Second
	ours, peer := slowPair(t, unixPair)
	p := &script{}
	c := r.adopt(ours, p)
	c.SetTimeout(0)
	piece := pattern(10_000)
	var more func()
	more = func() {
		if c.Open() {
			_ = c.WriteOwned(piece, more)
		}
	}
	for range 10 {
		more()
	}
	for range 40 {
		r.take(peer, 100_000)
		r.pass(20 * time.Second)
		if p.ended() {
			t.Fatalf("calls %q, though the peer takes 100,000 bytes every 20 s", p.calls)
		}
	}
	if len(peer.got) < 1<<20 {
		t.Errorf("the peer got only %d bytes: this shows nothing", len(peer.got))
	}
}

func TestWriteDeadlineEndsWithTheOutput(t *testing.T) {
	r := newRig(t)
	ours, peer := slowPair(t, unixPair)
	p := &script{}
	c := r.adopt(ours, p)
	c.SetTimeout(0)
	_, _ = c.Write(pattern(1 << 20))
	r.until("all output arrives", func() bool { peer.pull(1 << 20); return len(peer.got) == 1<<20 })
	r.settled()
	r.pass(24 * time.Hour)
	p.expect(t, "open")
}

func TestAfterRunsInOrderOfTime(t *testing.T) {
	r := newRig(t)
	var order []int
	for _, ms := range []int{30, 10, 20, 0, 65, 64} {
		r.loop.After(time.Duration(ms)*time.Millisecond, func() { order = append(order, ms) })
	}
	for range 70 {
		r.pass(time.Millisecond)
	}
	if want := []int{0, 10, 20, 30, 64, 65}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}

func TestStoppedTimerDoesNotRun(t *testing.T) {
	r := newRig(t)
	ran := 0
	timer := r.loop.After(time.Second, func() { ran++ })
	if !timer.Stop() {
		t.Error("Stop was not in time")
	}
	if timer.Stop() {
		t.Error("a second Stop claims to have stopped it")
	}
	r.pass(time.Minute)
	timer = r.loop.After(time.Second, func() { ran += 10 })
	r.pass(time.Second)
	if timer.Stop() {
		t.Error("Stop claims to have stopped what has run")
	}
	if ran != 10 {
		t.Errorf("ran %d, want only the second", ran)
	}
}

func TestTimerOfAClosedConnectionDoesNotRun(t *testing.T) {
	r := newRig(t)
	c, _ := r.open(unixPair, &script{})
	ran := false
	c.After(time.Second, func(*Conn) { ran = true })
	c.After(2*time.Second, func(*Conn) { t.Error("ran after the connection had ended") })
	r.pass(time.Second)
	if !ran {
		t.Error("did not run while the connection was open")
	}
	c.Abort(nil)
	r.pass(time.Minute)
}

// A callback that has held the loop for a while counts from where it is, and the
// loop does not sleep that long again.
func TestTimerAfterALongCallback(t *testing.T) {
	r := newRig(t)
	r.loop.Post(func() {
		r.now.Add(int64(time.Second))
		r.loop.After(10*time.Millisecond, func() {})
	})
	r.cycle()
	if got := r.loop.timeout(); got > 10*time.Millisecond {
		t.Errorf("the loop would sleep %v before a timer of 10ms", got)
	}
}

// A protocol that sets no deadline hears of every IdleTimeout of silence.
func TestIdleTimeoutComesBack(t *testing.T) {
	r := newRig(t)
	r.settings.IdleTimeout = 100 * time.Millisecond
	p := withTimeout(&script{}, func(c *Conn) { _, _ = c.WriteString("ping ") })
	_, peer := r.open(unixPair, p)
	for i := range 3 {
		r.pass(100 * time.Millisecond)
		if got := p.count("timeout"); got != i+1 {
			t.Fatalf("OnTimeout %d times after %d times the timeout", got, i+1)
		}
	}
	r.pass(50 * time.Millisecond)
	peer.send("pong")
	r.until("the answer arrives", func() bool { return p.count("data:") == 1 })
	r.pass(99 * time.Millisecond)
	if got := p.count("timeout"); got != 3 {
		t.Errorf("OnTimeout %d times, 99 ms after input", got)
	}
	r.pass(time.Millisecond)
	if got := p.count("timeout"); got != 4 {
		t.Errorf("OnTimeout %d times, 100 ms after input", got)
	}
}

// A closed connection's memory is not kept by its timers.
func TestTimersOfAConnectionEndWithIt(t *testing.T) {
	r := newRig(t)
	c, _ := r.open(unixPair, &script{})
	var timers []*Timer
	for range 4 {
		timers = append(timers, c.After(time.Hour, func(*Conn) { t.Error("ran after the connection had ended") }))
	}
	ran := false
	c.After(time.Second, func(*Conn) { ran = true })
	if !timers[1].Stop() || timers[1].Stop() {
		t.Error("Stop: want true, then false")
	}
	r.pass(time.Second)
	c.Abort(nil)
	if !ran || len(c.extra.timers) != 0 {
		t.Errorf("ran %v, timers left %v", ran, c.extra.timers)
	}
	for i, timer := range timers {
		if timer.timer.Armed() || timer.Stop() {
			t.Errorf("timer %d is still armed", i)
		}
	}
	if late := c.After(time.Hour, func(*Conn) {}); late.timer.Armed() {
		t.Error("a timer of a closed connection is armed")
	}
	r.pass(2 * time.Hour)
}
