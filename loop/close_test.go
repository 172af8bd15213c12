package loop

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Close loses nothing: 16 MiB to a reader that takes its time.
func TestCloseFlushesEverythingToASlowReader(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		r.settings.MaxOutput = 64 << 20
		ours, peer := pair.make(t)
		ours.buffers(8<<10, 8<<10)
		p := &script{}
		c := r.adopt(ours, p)
		want := pattern(16 << 20)
		for off := 0; off < len(want); off += 1 << 20 {
			if _, err := c.Write(want[off : off+1<<20]); err != nil {
				t.Fatal(err)
			}
		}
		c.Close()
		r.until("everything and the end arrive", func() bool {
			peer.pull(50_000)
			return peer.eof || peer.err != nil
		})
		if !peer.eof || !bytes.Equal(peer.got, want) {
			t.Fatalf("peer got %d of %d bytes, then %v", len(peer.got), len(want), peer.err)
		}
		if p.ended() {
			t.Error("closed before the peer had closed, or its time was up")
		}
		peer.close()
		r.until("the connection ends", p.ended)
		p.expect(t, "open", "close:<nil>")
	})
}

// The error answer reaches a client that is still sending: invariant 11.
func TestLingerDiscardsWhatThePeerStillSends(t *testing.T) {
	r := newRig(t)
	p := &script{}
	p.data = func(c *Conn, in []byte) int {
		_, _ = c.WriteString("too large, go away")
		c.Close()
		return 0
	}
	c, peer := r.open(tcpPair, p)
	body := pattern(8 << 20)
	sent := peer.offer(body)
	r.until("the client has sent all", func() bool {
		sent += peer.offer(body[sent:])
		return sent == len(body)
	})
	if c.state != lingering {
		t.Fatalf("state %v, want lingering", c.state)
	}
	peer.all()
	if string(peer.got) != "too large, go away" || !peer.eof {
		t.Errorf("peer got %q, then %v", peer.got, peer.err)
	}
	peer.close()
	r.until("the connection ends", p.ended)
	if p.count("data:") != 1 || p.count("close:<nil>") != 1 {
		t.Errorf("calls %q, want nothing delivered after Close", p.calls)
	}
}

func TestLingerIsBoundedInTime(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		p := withTimeout(&script{}, nil)
		c, peer := r.open(pair, p)
		c.Close()
		r.until("the end arrives", peer.all)
		for range 4 {
			peer.send("still here")
			r.pass(r.settings.LingerTimeout / 5)
		}
		if p.ended() {
			t.Fatalf("ended before its time: %q", p.calls)
		}
		r.pass(r.settings.LingerTimeout / 5)
		r.settled()
		p.expect(t, "open", "close:<nil>")
		if s := r.loop.count; s.TimedOut != 0 || s.LingerTimeouts != 1 {
			t.Errorf("%+v, want a timeout of lingering alone: it was closed in order", s)
		}
	})
}

// Whatever the protocol does after Close, the end of lingering stays in place.
func TestLingerCannotBeProlonged(t *testing.T) {
	for name, prolong := range map[string]func(c *Conn){
		"SetDeadline":     func(c *Conn) { c.SetTimeout(time.Hour) },
		"no deadline":     func(c *Conn) { c.SetTimeout(0) },
		"Become":          func(c *Conn) { c.SetProtocol((&script{}).Open) },
		"Close again":     (*Conn).Close,
		"resume and more": func(c *Conn) { c.PauseRead(); c.ResumeRead(); c.Redeliver() },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			p := &script{}
			c, peer := r.open(unixPair, p)
			c.Close()
			r.until("the end arrives", peer.all)
			_ = c.Ref().Do(prolong)
			r.cycle()
			r.pass(r.settings.LingerTimeout)
			r.settled()
			p.expect(t, "open", "close:<nil>")
		})
	}
}

func TestLingerIsBoundedInBytes(t *testing.T) {
	r := newRig(t)
	r.settings.LingerBytes = 1 << 20
	p := &script{}
	c, peer := r.open(tcpPair, p)
	c.Close()
	r.until("the end arrives", peer.all)
	chunk := pattern(64 << 10)
	sent := 0
	r.until("the connection ends", func() bool {
		if !p.ended() {
			if n, err := unix.Write(peer.fd, chunk); err == nil {
				sent += n
			}
		}
		return p.ended()
	})
	p.expect(t, "open", "close:<nil>")
	if read := r.loop.count.BytesRead; read < 1<<20 || read > 1<<20+inputSize {
		t.Errorf("%d bytes read away of %d, want about %d", read, sent, 1<<20)
	}
}

func TestLingerIsSkippedWhenThePeerHasFinished(t *testing.T) {
	r := newRig(t)
	p := withEOF(&script{}, (*Conn).Close)
	_, peer := r.open(tcpPair, p)
	peer.shutWrite()
	r.until("the connection ends", p.ended)
	p.expect(t, "open", "eof", "close:<nil>")
}

// The peer has its answer and does not care for a proper goodbye: that is no
// failure of the connection.
func TestResetWhileLingering(t *testing.T) {
	r := newRig(t)
	p := &script{}
	c, peer := r.open(tcpPair, p)
	_, _ = c.WriteString("all there is")
	c.Close()
	r.until("the end arrives", peer.all)
	peer.reset()
	r.until("the connection ends", p.ended)
	p.expect(t, "open", "close:<nil>")
}

func TestLingeringConnectionHoldsNoBuffer(t *testing.T) {
	r := newRig(t)
	p := &script{data: func(*Conn, []byte) int { return 0 }}
	c, peer := r.open(unixPair, p)
	peer.send("never used")
	r.until("input arrives", func() bool { return c.Buffered() > 0 })
	c.Close()
	r.settled()
	if c.state != lingering || c.in != nil || c.out != nil {
		t.Errorf("state %v, input %v, output %v", c.state, c.in, c.out)
	}
}

func TestAbortInReleaseStopsTheFlush(t *testing.T) {
	r := newRig(t)
	p := &script{}
	c, peer := r.open(unixPair, p)
	_ = c.WriteOwned([]byte("before"), func() { c.Abort(errors.New("enough")) })
	_ = c.SendFile(tempFile(t, []byte("after")), 0, 5)
	r.settled()
	p.expect(t, "open", "close:enough")
	if peer.all(); string(peer.got) != "before" {
		t.Errorf("peer got %q, want nothing after the abort", peer.got)
	}
}

func TestAbortResets(t *testing.T) {
	r := newRig(t)
	p := &script{}
	c, peer := r.open(tcpPair, p)
	cause := errors.New("cause")
	c.Abort(cause)
	p.expect(t, "open") // not inside the call
	c.Abort(io.EOF)     // the first one counts
	c.Close()
	r.cycle()
	p.expect(t, "open", "close:cause")
	r.until("the end reaches the peer", peer.all)
	if peer.err != unix.ECONNRESET {
		t.Errorf("the peer saw %v, end %v, want a reset", peer.err, peer.eof)
	}
}

func TestAbortDropsPendingOutput(t *testing.T) {
	r := newRig(t)
	p := &script{data: func(c *Conn, in []byte) int {
		_, _ = c.WriteString("never seen")
		c.Abort(nil)
		return len(in)
	}}
	_, peer := r.open(tcpPair, p)
	peer.send("x")
	r.until("the end reaches the peer", peer.all)
	if len(peer.got) != 0 {
		t.Errorf("peer got %q", peer.got)
	}
}

func TestAbortWhileClosingAndLingering(t *testing.T) {
	for _, state := range []state{closing, lingering} {
		r := newRig(t)
		ours, peer := slowPair(t, tcpPair)
		p := &script{}
		c := r.adopt(ours, p)
		if state == closing {
			_, _ = c.Write(pattern(1 << 20))
		}
		c.Close()
		r.cycle()
		if c.state != state {
			t.Fatalf("state %v, want %v", c.state, state)
		}
		c.Abort(errors.New("enough"))
		r.cycle()
		p.expect(t, "open", "close:enough")
		r.until("the end reaches the peer", peer.all)
		if peer.err != unix.ECONNRESET && state == closing {
			t.Errorf("%v: the peer saw an orderly end", state)
		}
	}
}

// A connection that has ended on its own while output was pending must not spin.
func TestClosingDoesNotSpin(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		ours, peer := slowPair(t, pair)
		c := r.adopt(ours, &script{})
		_, _ = c.Write(pattern(1 << 20))
		c.Close()
		peer.send("unread")
		peer.shutWrite()
		r.settled()
		if c.state != closing {
			t.Errorf("state %v, want closing", c.state)
		}
	})
}

func TestStateMoves(t *testing.T) {
	states := []state{open, closing, lingering, closed}
	allowed := map[[2]state]bool{
		{open, closing}: true, {open, closed}: true,
		{closing, lingering}: true, {closing, closed}: true,
		{lingering, closed}: true,
	}
	for _, from := range states {
		for _, to := range states {
			refused := func() (refused bool) {
				defer func() { refused = recover() != nil }()
				(&Conn{state: from}).enter(to)
				return
			}()
			if refused == allowed[[2]state{from, to}] {
				t.Errorf("from %v to %v: refused %v", from, to, refused)
			}
		}
	}
}
