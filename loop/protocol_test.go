package loop

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

func TestBecomeCarriesUnusedInputOver(t *testing.T) {
	r := newRig(t)
	second := &script{}
	first := &script{data: func(c *Conn, in []byte) int {
		c.SetState("of the first")
		c.Become(second)
		if c.State() != nil {
			t.Errorf("state %v carried over", c.State())
		}
		if len(second.input) > 0 {
			t.Error("input was delivered inside Become")
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

func TestBecomeFromOutside(t *testing.T) {
	r := newRig(t)
	first := &script{data: func(*Conn, []byte) int { return 0 }}
	second := &script{}
	c, peer := r.open(unixPair, first)
	peer.send("kept")
	r.until("input arrives", func() bool { return first.count("data:") == 1 })
	c.PauseRead() // ends with the protocol that asked for it
	_ = c.Ref().Do(func(c *Conn) { c.Become(second) })
	r.until("the second protocol gets what was kept", func() bool { return len(second.input) > 0 })
	peer.send(" and new")
	r.until("the second protocol gets new input", func() bool { return second.count("data:") == 2 })
	r.settled()
	first.expect(t, "open", "data:kept")
	second.expect(t, "open", "data:kept", "data: and new")
}

func TestBecomeInOnOpenAndInAChain(t *testing.T) {
	r := newRig(t)
	third := &script{}
	second := &script{data: func(c *Conn, in []byte) int {
		c.Become(third)
		return 1
	}}
	first := &script{open: func(c *Conn) { c.Become(second) }}
	_, peer := r.open(unixPair, first)
	peer.send("abc")
	r.until("the last protocol gets its part", func() bool { return len(third.input) > 0 })
	r.settled()
	first.expect(t, "open")
	second.expect(t, "open", "data:abc")
	third.expect(t, "open", "data:bc")
}

func TestBecomeWithAllInputUsedWaitsForMore(t *testing.T) {
	r := newRig(t)
	second := &script{}
	first := &script{data: func(c *Conn, in []byte) int { c.Become(second); return len(in) }}
	_, peer := r.open(unixPair, first)
	peer.send("abc")
	r.until("the first gets its input", func() bool { return first.count("data:") == 1 })
	r.settled()
	second.expect(t, "open")
}

func TestBecomeOfAProtocolThatPauses(t *testing.T) {
	r := newRig(t)
	second := &script{open: (*Conn).PauseRead}
	first := &script{data: func(c *Conn, in []byte) int { c.Become(second); return 1 }}
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
func TestBecomeSetsTheDefaultDeadline(t *testing.T) {
	r := newRig(t)
	r.settings.IdleTimeout = time.Minute
	second := &script{}
	c, _ := r.open(unixPair, &script{})
	c.SetDeadline(time.Second)
	c.Become(second)
	r.pass(59 * time.Second)
	second.expect(t, "open")
	r.pass(time.Second)
	second.expect(t, "open", "close:"+ErrTimeout.Error())
}

// The peer's FIN was read in the time of the protocol before. The next one must be
// told, or it would wait for ever.
func TestBecomeAfterTheEndOfInput(t *testing.T) {
	for name, second := range map[string]func(*script) Protocol{
		"with OnEOF":    func(s *script) Protocol { return withEOF{s, (*Conn).Close} },
		"without OnEOF": func(s *script) Protocol { return s },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			first := withEOF{&script{data: func(*Conn, []byte) int { return 0 }}, nil}
			p := &script{}
			c, peer := r.open(tcpPair, first)
			peer.send("kept")
			peer.shutWrite()
			r.until("the first is told of the end", func() bool { return first.count("eof") == 1 })
			c.Become(second(p))
			r.settled()
			if !bytes.Equal(p.input, []byte("kept")) || !p.ended() {
				t.Errorf("calls %q, want the kept input and then the end", p.calls)
			}
		})
	}
}

type binding struct {
	*script
	bound []*Loop
	to    Protocol
}

func (b *binding) Bind(l *Loop) Protocol {
	b.bound = append(b.bound, l)
	return b.to
}

func TestBindOncePerService(t *testing.T) {
	r := newRig(t)
	p := &script{}
	b := &binding{script: &script{}, to: p}
	service, err := r.loop.NewService(b, &r.settings)
	if err != nil {
		t.Fatal(err)
	}
	r.cycle()
	for range 3 {
		ours, _ := newUnixPair(t)
		r.loop.limit.served.take()
		r.loop.open(ours.release(), endpoint{}, service)
	}
	if len(b.bound) != 1 || b.bound[0] != r.loop {
		t.Errorf("bound to %v, want once to the loop", b.bound)
	}
	p.expect(t, "open", "open", "open")
	b.expect(t)
}

func TestBecomeBinds(t *testing.T) {
	r := newRig(t)
	p := &script{}
	c, _ := r.open(unixPair, &script{})
	c.Become(&binding{script: &script{}, to: p})
	p.expect(t, "open")
}

// A panic costs the connection it happened in, and no other: invariant 15.
func TestPanicInACallbackCostsOneConnection(t *testing.T) {
	boom := func(*Conn) { panic("boom") }
	for name, c := range map[string]struct {
		protocol func(s *script) Protocol
		provoke  func(r *rig, c *Conn, peer *socket)
	}{
		"OnOpen": {func(s *script) Protocol { s.open = boom; return s }, nil},
		"OnData": {
			func(s *script) Protocol { s.data = func(*Conn, []byte) int { panic("boom") }; return s },
			func(_ *rig, _ *Conn, peer *socket) { peer.send("x") },
		},
		"OnData again": {
			func(s *script) Protocol {
				s.data = func(c *Conn, _ []byte) int {
					c.Again()
					s.data = func(*Conn, []byte) int { panic("boom") }
					return 0
				}
				return s
			},
			func(_ *rig, _ *Conn, peer *socket) { peer.send("x") },
		},
		"OnEOF": {
			func(s *script) Protocol { return withEOF{s, boom} },
			func(_ *rig, _ *Conn, peer *socket) { peer.shutWrite() },
		},
		"OnHangup": {
			func(s *script) Protocol { s.open = (*Conn).PauseRead; return withHangup{s, boom} },
			func(_ *rig, _ *Conn, peer *socket) { peer.shutWrite() },
		},
		"OnDrain": {
			func(s *script) Protocol { return withDrain{s, boom} },
			func(_ *rig, c *Conn, _ *socket) { _, _ = c.Write(pattern(100_000)) },
		},
		"OnTimeout": {
			func(s *script) Protocol { return withTimeout{s, boom} },
			func(r *rig, c *Conn, _ *socket) { c.SetDeadline(time.Second); r.pass(time.Second) },
		},
		"OnShutdown": {
			func(s *script) Protocol { return withShutdown{s, boom} },
			func(r *rig, _ *Conn, _ *socket) { _ = r.loop.Drain(time.Hour) },
		},
		"Ref.Do": {
			func(s *script) Protocol { return s },
			func(_ *rig, c *Conn, _ *socket) { _ = c.Ref().Do(boom) },
		},
		"After": {
			func(s *script) Protocol { return s },
			func(r *rig, c *Conn, _ *socket) { c.After(time.Second, boom); r.pass(time.Second) },
		},
		"release": {
			func(s *script) Protocol { return s },
			func(_ *rig, c *Conn, _ *socket) { _ = c.WriteOwned([]byte("x"), func() { panic("boom") }) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.settings.HighWater, r.settings.LowWater = 1000, 500
			_, neighbour := r.open(unixPair, echo{})
			s := &script{}
			ours, peer := newUnixPair(t)
			r.loop.limit.served.take()
			conn := r.loop.open(ours.release(), endpoint{}, &Service{loop: r.loop, protocol: c.protocol(s), settings: &r.settings})
			if c.provoke != nil {
				c.provoke(r, conn, peer)
			}
			r.until("the connection ends", func() bool { peer.pull(1 << 20); return s.ended() })
			r.settled()
			if got := s.calls[len(s.calls)-1]; got != "close:eddy: callback panicked: boom" || s.count("close:") != 1 {
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

// A service without a protocol, because its Bind has panicked, serves nobody, and
// the loop goes on.
func TestPanicInBind(t *testing.T) {
	r := newRig(t)
	service, err := r.loop.NewService(panickyBinder{}, &r.settings)
	if err != nil {
		t.Fatal(err)
	}
	r.cycle()
	ours, peer := newUnixPair(t)
	_ = r.loop.limit.served.take()
	func() {
		defer func() {
			if v := recover(); v != nil {
				t.Errorf("the loop would have died: %v", v)
			}
		}()
		r.loop.open(ours.release(), endpoint{}, service)
		r.settled()
		if !peer.all() {
			t.Error("the connection stays open though nobody serves it")
		}
	}()
}

type panickyBinder struct{ echo }

func (panickyBinder) Bind(*Loop) Protocol { panic("in Bind") }
