package loop

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/eddynet/eddy/internal/sockets"
)

func TestSetProtocolCarriesUnusedInputOver(t *testing.T) {
	r := newRig(t)
	second := &script{}
	first := &script{data: func(c *Conn, in []byte) int {
		c.SetUserData("of the first")
		c.SetProtocol(second.Open)
		if c.UserData() != nil {
			t.Errorf("state %v carried over", c.UserData())
		}
		if len(second.input) > 0 {
			t.Error("input was delivered inside SetProtocol")
		}
		return len("upgrade;")
	}}
	_, peer := r.open(unixPair, first)
	peer.send("upgrade;and more")
	r.until("the second protocol gets the rest", func() bool { return len(second.input) > 0 })
	peer.send("later")
	r.until("the second protocol gets new input", func() bool { return second.count("data:") == 2 })
	peer.close()
	r.until("the connection ends", second.ended)
	r.settled()
	first.expect(t, "open", "data:upgrade;and more")
	second.expect(t, "open", "data:and more", "data:later", "close:EOF")
}

func TestSetProtocolFromOutside(t *testing.T) {
	r := newRig(t)
	first := &script{data: func(*Conn, []byte) int { return 0 }}
	second := &script{}
	c, peer := r.open(unixPair, first)
	peer.send("kept")
	r.until("input arrives", func() bool { return first.count("data:") == 1 })
	c.PauseRead() // ends with the protocol that asked for it
	_ = c.Ref().Do(func(c *Conn) { c.SetProtocol(second.Open) })
	r.until("the second protocol gets what was kept", func() bool { return len(second.input) > 0 })
	peer.send(" and new")
	r.until("the second protocol gets new input", func() bool { return second.count("data:") == 2 })
	r.settled()
	first.expect(t, "open", "data:kept")
	second.expect(t, "open", "data:kept", "data: and new")
}

func TestSetProtocolInOpenAndInAChain(t *testing.T) {
	r := newRig(t)
	third := &script{}
	second := &script{data: func(c *Conn, in []byte) int {
		c.SetProtocol(third.Open)
		return 1
	}}
	first := &script{open: func(c *Conn) { c.SetProtocol(second.Open) }}
	_, peer := r.open(unixPair, first)
	peer.send("abc")
	r.until("the last protocol gets its part", func() bool { return len(third.input) > 0 })
	r.settled()
	first.expect(t, "open")
	second.expect(t, "open", "data:abc")
	third.expect(t, "open", "data:bc")
}

func TestSetProtocolWithAllInputUsedWaitsForMore(t *testing.T) {
	r := newRig(t)
	second := &script{}
	first := &script{data: func(c *Conn, in []byte) int { c.SetProtocol(second.Open); return len(in) }}
	_, peer := r.open(unixPair, first)
	peer.send("abc")
	r.until("the first gets its input", func() bool { return first.count("data:") == 1 })
	r.settled()
	second.expect(t, "open")
}

func TestSetProtocolOfAProtocolThatPauses(t *testing.T) {
	r := newRig(t)
	second := &script{open: (*Conn).PauseRead}
	first := &script{data: func(c *Conn, in []byte) int { c.SetProtocol(second.Open); return 1 }}
	c, peer := r.open(unixPair, first)
	peer.send("abc")
	r.until("the first gets its input", func() bool { return first.count("data:") == 1 })
	r.settled()
	second.expect(t, "open")
	c.ResumeRead()
	r.settled()
	second.expect(t, "open", "data:bc")
}

// The deadline of the protocol before does not hold for the next.
func TestSetProtocolSetsTheDefaultDeadline(t *testing.T) {
	r := newRig(t)
	r.settings.IdleTimeout = time.Minute
	second := &script{}
	c, _ := r.open(unixPair, &script{})
	c.SetTimeout(time.Second)
	c.SetProtocol(second.Open)
	r.pass(59 * time.Second)
	second.expect(t, "open")
	r.pass(time.Second)
	second.expect(t, "open", "close:"+ErrTimeout.Error())
}

// The peer's FIN was read in the time of the protocol before. The next one must be
// told, or it would wait for ever.
func TestSetProtocolAfterTheEndOfInput(t *testing.T) {
	for name, second := range map[string]func(*script) opener{
		"with OnEOF":    func(s *script) opener { return withEOF(s, (*Conn).Close) },
		"without OnEOF": func(s *script) opener { return s },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			first := withEOF(&script{data: func(*Conn, []byte) int { return 0 }}, nil)
			p := &script{}
			c, peer := r.open(tcpPair, first)
			peer.send("kept")
			peer.shutWrite()
			r.until("the first is told of the end", func() bool { return first.count("eof") == 1 })
			c.SetProtocol(second(p).Open)
			r.settled()
			if !bytes.Equal(p.input, []byte("kept")) || !p.ended() {
				t.Errorf("calls %q, want the kept input and then the end", p.calls)
			}
		})
	}
}

// openingWith is a protocol whose Open does as told.
type openingWith Protocol

func (open openingWith) Open(c *Conn) Handler { return open(c) }

// A protocol without a Handler serves nobody, and the loop goes on.
func TestProtocolsWithoutAHandler(t *testing.T) {
	for name, p := range map[string]opener{
		"nil":    openingWith(func(*Conn) Handler { return nil }),
		"panics": openingWith(func(*Conn) Handler { panic("in Open") }),
		"none":   openingWith(nil),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			ours, peer := newUnixPair(t)
			c := r.openConn(r.loop.newConn(ours.release(), sockets.Addr{}), p)
			r.settled()
			if !peer.all() || c.Err() == nil {
				t.Errorf("the connection is open, or has no cause: %v", c.Err())
			}
			// The same when it is handed over.
			s := &script{}
			c, peer = r.open(unixPair, s)
			c.SetProtocol(p.Open)
			r.settled()
			if !peer.all() || c.Err() == nil {
				t.Errorf("handed over: the connection is open, or has no cause: %v", c.Err())
			}
			s.expect(t, "open")
		})
	}
}

// Settings belong to the protocol, however a connection comes to it.
func TestSettingsOfAProtocol(t *testing.T) {
	r := newRig(t)
	strict := openingWith(func(c *Conn) Handler {
		s := *c.Settings()
		s.MaxInput = 1000
		c.SetSettings(&s)
		return &script{data: func(*Conn, []byte) int { return 0 }}
	})
	lax := &script{data: func(*Conn, []byte) int { return 0 }}
	direct, peer := r.open(unixPair, strict)
	handed, other := r.open(unixPair, lax)
	handed.SetProtocol(strict.Open)
	for _, s := range []*socket{peer, other} {
		s.send(string(pattern(1001)))
	}
	r.until("both end", func() bool { return direct.Err() != nil && handed.Err() != nil })
	if direct.Err() != ErrInputFull || handed.Err() != ErrInputFull {
		t.Errorf("direct: %v, handed over: %v, want ErrInputFull", direct.Err(), handed.Err())
	}
	// The next protocol begins with the loop's settings again.
	again, third := r.open(unixPair, strict)
	again.SetProtocol(lax.Open)
	third.send(string(pattern(1001)))
	r.until("input arrives", func() bool { return lax.count("data:") > 0 })
	r.settled()
	if !again.Open() {
		t.Errorf("closed with %v", again.Err())
	}
}

func TestPerLoop(t *testing.T) {
	r := newRig(t)
	other := r.newLoop(r.loop.limit)
	var values PerLoop[*int]
	made := 0
	create := func() *int { made++; return new(int) }
	a, b := values.Get(r.loop.Loop, create), values.Get(other.Loop, create)
	if a == b || values.Get(r.loop.Loop, create) != a || values.Get(other.Loop, create) != b || made != 2 {
		t.Errorf("%d values for two loops", made)
	}
	seen := 0
	values.Each(func(l *Loop, v *int) {
		if v != a && v != b {
			t.Error("Each yields something else")
		}
		seen++
	})
	if seen != 2 {
		t.Errorf("Each yields %d values", seen)
	}
}

// A panic costs the connection it happened in, and no other: invariant 15.
func TestPanicInACallbackCostsOneConnection(t *testing.T) {
	boom := func(*Conn) { panic("boom") }
	for name, c := range map[string]struct {
		protocol func(s *script) opener
		provoke  func(r *rig, c *Conn, peer *socket)
	}{
		"Open": {func(s *script) opener { s.open = boom; return s }, nil},
		"OnData": {
			func(s *script) opener { s.data = func(*Conn, []byte) int { panic("boom") }; return s },
			func(_ *rig, _ *Conn, peer *socket) { peer.send("x") },
		},
		"OnData again": {
			func(s *script) opener {
				s.data = func(c *Conn, _ []byte) int {
					c.Redeliver()
					s.data = func(*Conn, []byte) int { panic("boom") }
					return 0
				}
				return s
			},
			func(_ *rig, _ *Conn, peer *socket) { peer.send("x") },
		},
		"OnEOF": {
			func(s *script) opener { return withEOF(s, boom) },
			func(_ *rig, _ *Conn, peer *socket) { peer.shutWrite() },
		},
		"OnHangup": {
			func(s *script) opener { s.open = (*Conn).PauseRead; return withHangup(s, boom) },
			func(_ *rig, _ *Conn, peer *socket) { peer.shutWrite() },
		},
		"OnDrain": {
			func(s *script) opener { return withWritable(s, boom) },
			func(_ *rig, c *Conn, _ *socket) { _, _ = c.Write(pattern(100_000)) },
		},
		"OnTimeout": {
			func(s *script) opener { return withTimeout(s, boom) },
			func(r *rig, c *Conn, _ *socket) { c.SetTimeout(time.Second); r.pass(time.Second) },
		},
		"OnShutdown": {
			func(s *script) opener { return withShutdown(s, boom) },
			func(r *rig, _ *Conn, _ *socket) { _ = r.loop.Drain(time.Hour) },
		},
		"Ref.Do": {
			func(s *script) opener { return s },
			func(_ *rig, c *Conn, _ *socket) { _ = c.Ref().Do(boom) },
		},
		"After": {
			func(s *script) opener { return s },
			func(r *rig, c *Conn, _ *socket) { c.After(time.Second, boom); r.pass(time.Second) },
		},
		"release": {
			func(s *script) opener { return s },
			func(_ *rig, c *Conn, _ *socket) { _ = c.WriteOwned([]byte("x"), func() { panic("boom") }) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.settings.HighWater, r.settings.LowWater = 1000, 500
			_, neighbour := r.open(unixPair, echo{})
			s := &script{}
			ours, peer := newUnixPair(t)
			conn := r.openConn(r.loop.newConn(ours.release(), sockets.Addr{}), c.protocol(s))
			if c.provoke != nil {
				c.provoke(r, conn, peer)
			}
			r.until("the connection ends", func() bool { peer.pull(1 << 20); return conn.Err() != nil })
			r.settled()
			if name == "Open" {
				s.expect(t, "open") // there is no handler to be told
			} else if got := s.calls[len(s.calls)-1]; got != "close:eddy: callback panicked: boom" || s.count("close:") != 1 {
				t.Errorf("calls %q, want one OnClose with the panic", s.calls)
			}
			if got := r.loop.Stats().Panics; got != 1 {
				t.Errorf("%d panics counted, want 1", got)
			}
			if r.logged.count("panicked") != 1 {
				t.Errorf("log %q, want one line on the panic", r.logged.lines)
			}
			neighbour.send("still here?")
			r.until("the neighbour is served", neighbour.has("still here?"))
		})
	}
}

func TestPanicInOnCloseAndOutsideConnections(t *testing.T) {
	r := newRig(t)
	p := &script{closed: func(*Conn, error) { panic("in OnClose") }}
	c, peer := r.open(unixPair, p)
	c.Abort(errors.New("cause"))
	_ = r.loop.Post(func() { panic("in a task") })
	r.loop.After(time.Second, func() { panic("in a timer") })
	r.pass(time.Second)
	r.settled()
	p.expect(t, "open", "close:cause")
	if got := r.loop.Stats(); got.Panics != 3 || got.Closed != 1 {
		t.Errorf("stats %+v, want 3 panics, one closed", got)
	}
	if !peer.all() {
		t.Error("the descriptor is still open")
	}
}
