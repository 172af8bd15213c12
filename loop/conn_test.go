package loop

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
	"github.com/eddynet/eddy/poller"
)

func TestCallbacksComeInOrderAndCloseOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		p := &script{}
		c, peer := r.open(pair, p)
		p.expect(t, "open")
		peer.send("hello")
		r.until("hello arrives", func() bool { return p.count("data:") == 1 })
		peer.send("again")
		r.until("again arrives", func() bool { return p.count("data:") == 2 })
		peer.close()
		r.until("the connection ends", p.ended)
		r.settled()
		p.expect(t, "open", "data:hello", "data:again", "close:EOF")
		if c.Open() || r.loop.conns != 0 || len(r.loop.allConns()) != 0 {
			t.Error("the connection is still there after OnClose")
		}
	})
}

func TestOpenCallbackMayWriteAndClose(t *testing.T) {
	r := newRig(t)
	p := &script{open: func(c *Conn) {
		_, _ = c.WriteString("welcome and goodbye")
		c.Close()
	}}
	ours, peer := newUnixPair(t)
	r.openConn(r.loop.newConn(ours.release(), sockets.Addr{}), p)
	r.until("the farewell arrives", func() bool { return peer.all() })
	if string(peer.got) != "welcome and goodbye" {
		t.Errorf("peer got %q", peer.got)
	}
	peer.close()
	r.until("the connection ends", p.ended)
	p.expect(t, "open", "close:<nil>")
}

func TestStateBelongsToTheProtocol(t *testing.T) {
	r := newRig(t)
	c, _ := r.open(unixPair, &script{})
	if c.UserData() != nil {
		t.Errorf("state %v before SetState", c.UserData())
	}
	c.SetUserData(c)
	if c.UserData() != c || c.Loop() != r.loop.Loop {
		t.Error("the connection does not give back what it was given")
	}
}

// An idle connection costs its struct and a slot: invariant 3.
func TestIdleConnectionHoldsNoBuffer(t *testing.T) {
	r := newRig(t)
	c, peer := r.open(unixPair, echo{})
	peer.send("ping")
	r.until("the answer arrives", peer.has("ping"))
	r.settled()
	if c.in != nil || c.out != nil {
		t.Error("an idle connection holds a buffer")
	}
	if c.interest != poller.Readable {
		t.Errorf("interest %b, want only Readable while nothing is pending", c.interest)
	}
}

// A neighbour that was closed by a callback of the same batch is not called again,
// and its descriptor is not reused before the batch is over.
func TestNeighbourClosedInTheSameBatch(t *testing.T) {
	for _, how := range []struct {
		name  string
		close func(c *Conn)
		want  string
	}{
		{"abort", func(c *Conn) { c.Abort(errors.New("by a neighbour")) }, "close:by a neighbour"},
		{"close", (*Conn).Close, "close:<nil>"},
	} {
		t.Run(how.name, func(t *testing.T) {
			r := newRig(t)
			a, b := &script{}, &script{}
			ca, peerA := r.open(unixPair, a)
			cb, peerB := r.open(unixPair, b)
			fds := []int{int(ca.fd), int(cb.fd)}
			calls := 0
			closeOther := func(other *Conn) func(*Conn, []byte) int {
				return func(_ *Conn, in []byte) int {
					calls++
					how.close(other)
					for _, fd := range fds {
						if !descriptorOpen(fd) {
							t.Error("a descriptor was closed in the middle of the batch")
						}
					}
					return len(in)
				}
			}
			a.data, b.data = closeOther(cb), closeOther(ca)
			peerA.send("x")
			peerB.send("x")
			r.cycle() // both are ready in it: whoever comes first closes the other
			if calls != 1 {
				t.Fatalf("%d callbacks with data, want one: the other was closed before", calls)
			}
			peerA.close()
			peerB.close()
			r.until("both end", func() bool { return a.ended() && b.ended() })
			if got := a.count(how.want) + b.count(how.want); got != 1 {
				t.Errorf("calls %q and %q, want %q once", a.calls, b.calls, how.want)
			}
			if a.count("close:") != 1 || b.count("close:") != 1 {
				t.Errorf("calls %q and %q, want OnClose once each", a.calls, b.calls)
			}
		})
	}
}

func TestEventOfAnEarlierGenerationIsIgnored(t *testing.T) {
	r := newRig(t)
	first := &script{}
	c, _ := r.open(unixPair, first)
	stale := c.token
	c.Abort(nil)
	r.cycle()

	second := &script{}
	next, peer := r.open(unixPair, second)
	if next.token.Slot() != stale.Slot() {
		t.Fatalf("slot %d, want the freed one, %d", next.token.Slot(), stale.Slot())
	}
	if s := r.loop.table.Lookup(stale); s != nil {
		t.Fatalf("the stale token leads to %v", s)
	}
	peer.send("mine")
	r.until("input arrives", func() bool { return len(second.input) > 0 })
	first.expect(t, "open", "close:<nil>")
	second.expect(t, "open", "data:mine")
}

func TestClosedConnectionIgnoresItsEvents(t *testing.T) {
	r := newRig(t)
	p := &script{}
	c, peer := r.open(unixPair, p)
	peer.send("too late")
	c.Abort(nil)
	c.ready(poller.Read | poller.Write | poller.ReadClosed)
	c.ready(poller.Failed)
	r.cycle()
	p.expect(t, "open", "close:<nil>")
}

func TestClosingCallbackMayDoAnything(t *testing.T) {
	r := newRig(t)
	neighbour := &script{}
	n, _ := r.open(unixPair, neighbour)
	p := &script{closed: func(c *Conn, _ error) {
		if c.Open() {
			t.Error("open in OnClose")
		}
		if _, err := c.Write([]byte("late")); err != ErrClosed {
			t.Errorf("Write in OnClose: %v, want ErrClosed", err)
		}
		c.Out().B = append(c.Out().B, "late"...)
		c.Close()
		c.Abort(io.ErrUnexpectedEOF)
		c.ResumeRead()
		c.Redeliver()
		c.SetTimeout(1)
		c.SetProtocol((&script{}).Open)
		c.After(1, func(*Conn) { t.Error("a timer of a closed connection went off") })
		n.Abort(errors.New("from OnClose"))
	}}
	c, _ := r.open(unixPair, p)
	c.Abort(nil)
	r.cycle()
	neighbour.expect(t, "open", "close:from OnClose")
	r.pass(1e9)
	r.settled()
	p.expect(t, "open", "close:<nil>")
}

func TestResetByThePeer(t *testing.T) {
	r := newRig(t)
	p := &script{}
	_, peer := r.open(tcpPair, p)
	peer.reset()
	r.until("the connection ends", p.ended)
	p.expect(t, "open", "close:"+unix.ECONNRESET.Error())
}

func TestDescriptorIsClosedOnce(t *testing.T) {
	r := newRig(t)
	p := &script{}
	c, _ := r.open(unixPair, p)
	fd := int(c.fd)
	c.Abort(nil)
	if !descriptorOpen(fd) {
		t.Error("closed inside the call, not at the end of the cycle")
	}
	r.cycle()
	if descriptorOpen(fd) {
		t.Error("still open after the cycle")
	}
	if got := r.loop.limit.served.used.Load(); got != 0 {
		t.Errorf("%d connections counted, want 0", got)
	}
	other, theirs := newUnixPair(t) // takes the number
	r.settled()
	if !descriptorOpen(other.fd) || !descriptorOpen(theirs.fd) {
		t.Error("a descriptor was closed a second time")
	}
	s := r.loop.Stats()
	if s.Accepted != 1 || s.Closed != 1 || s.Open() != 0 {
		t.Errorf("stats %+v, want one accepted and closed", s)
	}
}

// A registration that could be neither replaced nor deleted goes on reporting input that
// nobody waits for: that is no end of the connection.
func TestInputOnAStaleRegistration(t *testing.T) {
	r := newRig(t)
	ours, peer := slowPair(t, unixPair)
	want := pattern(300_000)
	p := &script{data: func(c *Conn, in []byte) int {
		_, _ = c.Write(want)
		c.Close()
		return len(in)
	}}
	c := r.adopt(ours, p)
	inject(r.loop).arm(fault{call: onControl, errno: unix.ENOMEM, first: 1, every: 1, last: 2}, int(c.fd))
	peer.send("get")
	r.until("the poller has failed", func() bool { return c.is(watchBackoff) })
	peer.send("more")
	r.cycle()
	r.pass(shortageDelay)
	r.take(peer, len(want))
	if !bytes.Equal(peer.got, want) {
		t.Errorf("the peer got %d of %d bytes, calls %q", len(peer.got), len(want), p.calls)
	}
}
