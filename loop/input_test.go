package loop

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/eddynet/eddy/poller"
)

func TestUnusedInputComesBackWithMoreBehindIt(t *testing.T) {
	skipLayered(t, "the layer cuts the input")
	r := newRig(t)
	p := &script{}
	p.data = func(c *Conn, in []byte) int { return bytes.IndexByte(in, ';') + 1 } // up to a ;
	c, peer := r.open(unixPair, p)
	for _, part := range []string{"ab", "cd;e", "f", ";", "gh;ij;"} {
		peer.send(part)
		before := p.count("data:")
		r.until("the part arrives", func() bool { return p.count("data:") > before })
		r.settled()
	}
	p.expect(t, "open", "data:ab", "data:abcd;e", "data:ef", "data:ef;", "data:gh;ij;")
	if got := c.Buffered(); got != len("ij;") {
		t.Errorf("Buffered %d, want %d", got, len("ij;"))
	}
	peer.send("k;")
	r.until("the rest is used", func() bool { return c.Buffered() == len("k;") })
	if got := string(p.input); got != "abcd;ef;gh;ij;" {
		t.Errorf("used %q", got)
	}
}

func TestLargeInputArrivesWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		p := &script{}
		step := 0
		p.data = func(_ *Conn, in []byte) int { // leaves some behind, now and then
			step++
			return len(in) - min(len(in), step*7919%9000)
		}
		c, peer := r.open(pair, p)
		want := pattern(3 << 20)
		sent := 0
		r.until("all is sent and used", func() bool {
			sent += peer.offer(want[sent:])
			if sent == len(want) {
				p.data = nil
				if c.Buffered() > 0 {
					c.Redeliver()
				}
			}
			return len(p.input) == len(want)
		})
		if !bytes.Equal(p.input, want) {
			t.Error("the bytes differ from what was sent")
		}
	})
}

func TestUsedCountOutOfRangeAborts(t *testing.T) {
	for _, used := range []int{-1, 6, math.MaxInt32} {
		r := newRig(t)
		p := &script{data: func(*Conn, []byte) int { return used }}
		_, peer := r.open(tcpPair, p)
		peer.send("hello")
		r.until("the connection ends", p.ended)
		p.expect(t, "open", "data:hello", "close:"+errUsed.Error())
		r.until("the peer sees a reset", peer.all)
		if peer.err == nil {
			t.Error("the peer saw an orderly end")
		}
	}
}

func TestTooMuchUnusedInputAborts(t *testing.T) {
	r := newRig(t)
	r.settings.MaxInput = 100
	p := &script{data: func(*Conn, []byte) int { return 0 }}
	_, peer := r.open(unixPair, p)
	peer.send(strings.Repeat("x", 100))
	r.until("as much as allowed arrives", func() bool { return p.count("data:") == 1 })
	r.settled()
	if p.ended() {
		t.Fatalf("ended at the limit: %q", p.calls)
	}
	peer.send("y")
	r.until("the connection ends", p.ended)
	if p.count("close:"+ErrInputFull.Error()) != 1 {
		t.Errorf("calls %q, want the end with %v", p.calls, ErrInputFull)
	}
}

// One line a call, and the others get their turn in between.
func TestAgainDeliversWhatIsLeft(t *testing.T) {
	r := newRig(t)
	p := &script{}
	p.data = func(c *Conn, in []byte) int {
		n := bytes.IndexByte(in, '\n') + 1
		if n < len(in) {
			c.Redeliver()
		}
		return n
	}
	_, peer := r.open(unixPair, p)
	peer.send("a\nbb\nccc\n")
	r.until("all is used", func() bool { return len(p.input) == 9 })
	r.settled()
	p.expect(t, "open", "data:a\nbb\nccc\n", "data:bb\nccc\n", "data:ccc\n")
}

func TestAgainIsNotInsideTheCall(t *testing.T) {
	r := newRig(t)
	p := &script{}
	inside := false
	p.data = func(c *Conn, in []byte) int {
		if inside {
			t.Error("OnData was called inside OnData")
		}
		inside = true
		c.Redeliver()
		c.ResumeRead()
		inside = false
		return 1
	}
	_, peer := r.open(unixPair, p)
	peer.send("abc")
	r.until("all is used", func() bool { return string(p.input) == "abc" })
	r.settled()
	p.expect(t, "open", "data:abc", "data:bc", "data:c")
}

// A protocol that asks for the rest of its input gets it, though the peer's FIN
// came with it.
func TestEndOfInputComesAfterWhatWasAskedForAgain(t *testing.T) {
	oneAtATime := func(c *Conn, in []byte) int {
		_, _ = c.Write(in[:1])
		c.Redeliver()
		return 1
	}
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		p := &script{data: oneAtATime}
		_, peer := r.open(pair, p)
		peer.send("abcdef")
		peer.shutWrite()
		r.until("the connection ends for the peer", peer.all)
		if string(peer.got) != "abcdef" {
			t.Errorf("peer got %q, want an answer to everything it sent: %q", peer.got, p.calls)
		}
	})
	t.Run("OnEOF", func(t *testing.T) {
		r := newRig(t)
		p := withEOF(&script{data: oneAtATime}, (*Conn).Close)
		_, peer := r.open(unixPair, p)
		peer.send("abc")
		peer.shutWrite()
		r.until("the connection ends for the peer", peer.all)
		r.until("the connection ends", p.ended)
		p.expect(t, "open", "data:abc", "data:bc", "data:c", "eof", "close:<nil>")
	})
}

func TestPauseHoldsInputInTheKernel(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		p := &script{data: func(c *Conn, in []byte) int {
			c.PauseRead()
			return 1 // the rest is kept
		}}
		c, peer := r.open(pair, p)
		peer.send("abc")
		r.until("the first input arrives", func() bool { return p.count("data:") == 1 })
		peer.send("def")
		r.settled()
		p.expect(t, "open", "data:abc")

		// The peer is held up by the kernel, after a bounded amount.
		chunk := pattern(256 << 10)
		sent := 0
		for idle := 0; idle < 50; idle++ {
			n := peer.offer(chunk)
			if sent += n; n > 0 {
				idle = 0
			}
			if sent > 64<<20 {
				t.Fatal("the peer is not held up")
			}
			r.cycle()
		}
		r.quiet()

		p.data = nil
		c.ResumeRead()
		if p.count("data:") != 1 {
			t.Error("OnData was called inside ResumeRead")
		}
		r.cycle()
		if p.calls[2] != "data:bc" {
			t.Errorf("calls %q, want what was kept first", p.calls)
		}
		r.until("everything arrives", func() bool { return len(p.input) == 6+sent })
		if string(p.input[:6]) != "abcdef" {
			t.Errorf("input begins with %q", p.input[:6])
		}
	})
}

func TestPauseAndResumeBeforeAnythingComes(t *testing.T) {
	r := newRig(t)
	p := &script{open: (*Conn).PauseRead}
	c, peer := r.open(unixPair, p)
	peer.send("x")
	r.settled()
	p.expect(t, "open")
	c.ResumeRead()
	c.PauseRead()
	r.settled()
	p.expect(t, "open")
	c.ResumeRead()
	r.until("input arrives", func() bool { return p.count("data:") == 1 })
	p.expect(t, "open", "data:x")
}

// A peer that stops sending while it is not read is told of once, and does not
// keep the loop awake.
func TestHangupWhilePaused(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		p := withHangup(&script{open: (*Conn).PauseRead}, nil)
		c, peer := r.open(pair, p)
		peer.send("unread")
		peer.shutWrite()
		r.until("the hang-up is seen", func() bool { return p.count("hangup") > 0 })
		r.settled()
		p.expect(t, "open", "hangup")

		c.ResumeRead()
		r.until("the end is read", c.EOF)
		r.until("the end reaches the peer", peer.all)
		peer.close()
		r.until("the connection ends", p.ended)
		p.expect(t, "open", "hangup", "data:unread", "close:EOF")
	})
}

func TestHangupWithoutHandlerDoesNotSpin(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		p := &script{open: (*Conn).PauseRead}
		c, peer := r.open(pair, p)
		peer.shutWrite()
		r.until("the hang-up is seen", func() bool { return c.interest&poller.Hangup == 0 })
		r.settled()
		p.expect(t, "open")
	})
}

// What a peer has sent before it closed is there to be read: it sent its bytes and
// has nothing more to say, while the protocol holds it up.
func TestInputOfAPeerThatClosedWhilePaused(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		p := withHangup(&script{open: (*Conn).PauseRead}, nil)
		c, peer := r.open(pair, p)
		peer.send("the last words")
		peer.close()
		r.until("the hang-up is seen", func() bool { return p.count("hangup") > 0 || p.ended() })
		r.settled()
		c.ResumeRead()
		r.until("the connection ends", p.ended)
		if string(p.input) != "the last words" {
			t.Errorf("calls %q, want the input that was waiting", p.calls)
		}
	})
}

func TestEndOfInputClosesByDefault(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		p := &script{data: func(c *Conn, in []byte) int {
			_, _ = c.WriteString("answer to " + string(in))
			return len(in)
		}}
		_, peer := r.open(pair, p)
		peer.send("request")
		peer.shutWrite()
		r.until("the end reaches the peer", peer.all)
		if string(peer.got) != "answer to request" {
			t.Errorf("peer got %q", peer.got)
		}
		r.until("the connection ends", p.ended)
		p.expect(t, "open", "data:request", "close:EOF")
	})
}

// A half-closed connection serves on: invariant 13.
func TestAnswerPendingAtEndOfInput(t *testing.T) {
	r := newRig(t)
	p := withEOF(&script{}, nil)
	c, peer := r.open(tcpPair, p)
	peer.send("request")
	peer.shutWrite()
	r.until("the end is told", func() bool { return p.count("eof") == 1 })
	r.settled()
	p.expect(t, "open", "data:request", "eof")
	if !c.Open() || !c.EOF() {
		t.Fatal("the connection is not open after OnEOF, or does not know the end")
	}

	answer := pattern(1 << 20) // more than the kernel takes at once
	_, _ = c.Write(answer)
	c.Close()
	r.until("the answer arrives", peer.all)
	if !bytes.Equal(peer.got, answer) || !peer.eof {
		t.Errorf("peer got %d of %d bytes, then %v", len(peer.got), len(answer), peer.err)
	}
	r.until("the connection ends", p.ended)
	p.expect(t, "open", "data:request", "eof", "close:<nil>")
}

// A slow reader of pending output that has sent its FIN gets all of it.
func TestOutputPendingAtDefaultClose(t *testing.T) {
	r := newRig(t)
	r.settings.HighWater = 2 << 20 // so that the end is read while the output waits
	answer := pattern(1 << 20)
	p := &script{data: func(c *Conn, in []byte) int {
		_, _ = c.Write(answer)
		return len(in)
	}}
	ours, peer := newTCPPair(t)
	ours.buffers(8<<10, 8<<10)
	c := r.adopt(ours, p)
	peer.send("x")
	peer.shutWrite()
	r.until("the end is read", c.EOF)
	if c.Pending() == 0 {
		t.Fatal("nothing is pending: this shows nothing")
	}
	r.until("the answer arrives", func() bool { peer.pull(10_000); return peer.eof || peer.err != nil })
	if !bytes.Equal(peer.got, answer) {
		t.Errorf("peer got %d of %d bytes, then %v", len(peer.got), len(answer), peer.err)
	}
}

func TestKeptInputAtEndOfInput(t *testing.T) {
	r := newRig(t)
	p := withEOF(&script{data: func(*Conn, []byte) int { return 0 }}, nil)
	c, peer := r.open(unixPair, p)
	peer.send("half a request")
	peer.shutWrite()
	r.until("the end is told", func() bool { return p.count("eof") == 1 })
	if c.Buffered() != len("half a request") {
		t.Errorf("Buffered %d in OnEOF's time", c.Buffered())
	}
	p.data = nil
	c.Redeliver()
	r.settled()
	if want := []string{"open", "data:half a request", "eof", "data:half a request"}; !slices.Equal(p.calls, want) {
		t.Errorf("calls %q, want %q", p.calls, want)
	}
}

// No peer starves its neighbours: one read of bounded size in a cycle.
func TestOneReadInACycle(t *testing.T) {
	r := newRig(t)
	busy, other := &script{}, &script{}
	ours, peer := newUnixPair(t)
	peer.buffers(1<<20, 1<<20)
	r.adopt(ours, busy)
	if n := peer.offer(pattern(150 << 10)); n < inputSize+1 {
		t.Skipf("the kernel holds only %d bytes", n)
	}
	_, neighbour := r.open(unixPair, other)
	neighbour.send("me too")
	r.cycle()
	if len(busy.input) > inputSize {
		t.Errorf("%d bytes of one connection in one cycle, want at most %d", len(busy.input), inputSize)
	}
	if string(other.input) != "me too" {
		t.Errorf("the neighbour got %q", other.input)
	}
}
