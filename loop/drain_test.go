package loop

import (
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
	"github.com/eddynet/eddy/internal/wheel"
)

func TestDrainTellsConnectionsAndClosesTheOthers(t *testing.T) {
	r := newRig(t)
	told := withShutdown(&script{}, nil)
	untold := &script{}
	a, peerA := r.open(unixPair, told)
	_, peerB := r.open(unixPair, untold)
	if err := r.loop.Drain(time.Second); err != nil {
		t.Fatal(err)
	}
	r.settled()
	told.expect(t, "open", "shutdown")
	untold.expect(t, "open")
	if !r.loop.Draining() {
		t.Error("not draining")
	}

	peerB.send("late") // within the grace it is served
	r.until("a late request arrives", func() bool { return untold.count("data:") == 1 })
	r.pass(time.Second)
	r.until("the end arrives", peerB.all)
	peerB.close()
	r.until("the connection ends", untold.ended)
	untold.expect(t, "open", "data:late", "close:<nil>")
	told.expect(t, "open", "shutdown") // ends in its own time
	if r.loop.conns != 1 {
		t.Errorf("%d connections, want the one that was told", r.loop.conns)
	}
	a.Close()
	peerA.close()
	r.until("the connection ends", told.ended)
	if r.loop.conns != 0 {
		t.Errorf("%d connections", r.loop.conns)
	}
}

// After the grace period of a drain, a conversation that went on meanwhile is read to its end,
// because a message in flight would be answered with a reset. An idle connection is not.
func TestDrainLetsConversationsEnd(t *testing.T) {
	for _, talks := range []bool{true, false} {
		r := newRig(t)
		p := &script{}
		c, peer := r.open(tcpPair, p)
		if err := r.loop.Drain(time.Second); err != nil {
			t.Fatal(err)
		}
		r.settled()
		r.pass(time.Second / 2)
		if talks {
			peer.send("late")
			r.until("a late message arrives", func() bool { return p.count("data:") == 1 })
		}
		r.pass(time.Second / 2)
		r.until("the end arrives", peer.all)
		if got := c.state; (got == lingering) != talks {
			t.Errorf("talks %v: the connection is %v", talks, got)
		}
	}
}

func TestRunEndsAfterTheLastConnectionOfADrain(t *testing.T) {
	r := newRig(t)
	ended := make(chan struct{})
	p := withShutdown(&script{closed: func(*Conn, error) { close(ended) }}, nil)
	_, peer := r.open(unixPair, p)
	result := make(chan error, 1)
	go func() { result <- r.loop.Run() }()
	told := make(chan struct{})
	if err := r.loop.Drain(time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := r.loop.Post(func() { close(told) }); err != nil {
		t.Fatal(err)
	}
	receive(t, told, "the drain begins")
	select {
	case err := <-result:
		t.Fatalf("Run ended, %v, while a connection was open", err)
	default:
	}
	peer.close()
	receive(t, ended, "the connection ends")
	if err := receive(t, result, "Run ends"); err != nil {
		t.Error(err)
	}
}

func TestDrainWithoutConnectionsEndsAtOnce(t *testing.T) {
	r := newRig(t)
	result := make(chan error, 1)
	go func() { result <- r.loop.Run() }()
	if err := r.loop.Drain(time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, result, "Run ends"); err != nil {
		t.Error(err)
	}
}

func TestForceEndsEverything(t *testing.T) {
	r := newRig(t)
	_, addr := r.listen("tcp4", "127.0.0.1:0", hello{})
	idle, stubborn, closing := &script{}, withShutdown(&script{}, nil), &script{}
	r.open(unixPair, idle)
	r.open(unixPair, stubborn)
	ours, _ := slowPair(t, unixPair)
	c := r.adopt(ours, closing)
	_, _ = c.Write(pattern(1 << 20))
	c.Close()
	client := dial(t, addr)
	r.until("the client is greeted", client.has("hello"))

	result := make(chan error, 1)
	go func() { result <- r.loop.Run() }()
	if err := r.loop.Drain(time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := r.loop.Force(); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, result, "Run ends"); err != nil {
		t.Error(err)
	}
	want := "close:" + ErrServerClosed.Error()
	for _, p := range []*script{idle, stubborn.script, closing} {
		if p.count("close:") != 1 || p.count(want) != 1 {
			t.Errorf("calls %q, want %q once", p.calls, want)
		}
	}
	client.wait(unix.POLLIN)
	if !client.all() {
		t.Error("the client's connection is still open")
	}
}

// Cut off in the middle is not complete: the peer must be able to tell.
func TestForceResetsWhatIsCutOff(t *testing.T) {
	r := newRig(t)
	ours, peer := slowPair(t, tcpPair)
	c := r.adopt(ours, &script{})
	_, _ = c.Write(pattern(4 << 20))
	c.Close()
	_ = r.loop.Force()
	r.settled()
	r.until("the end reaches the peer", peer.all)
	if peer.err != unix.ECONNRESET {
		t.Errorf("peer got %d bytes and an orderly end, want a reset", len(peer.got))
	}
}

func TestStopAcceptingServesTheQueue(t *testing.T) {
	r := newRig(t)
	_, addr := r.listen("tcp4", "127.0.0.1:0", hello{})
	var clients []*socket
	for range acceptBudget + 10 {
		clients = append(clients, dial(t, addr))
	}
	done := false
	if err := r.loop.StopAccepting(func() { done = true }); err != nil {
		t.Fatal(err)
	}
	r.cycle()
	r.pass(handshakeTime + wheel.Tick)
	if !done {
		t.Error("done was not called")
	}
	if r.loop.conns != len(clients) {
		t.Errorf("%d connections accepted of %d that waited", r.loop.conns, len(clients))
	}
	for _, client := range clients {
		r.until("the client is greeted", client.has("hello"))
	}
}

// A peer that does not close its idle connection does not hold up a drain.
func TestDrainClosesIdleConnectionsAtTheEndOfTheGrace(t *testing.T) {
	skipLayered(t, "CloseIdle over a layer is Close")
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		p := &script{data: func(c *Conn, in []byte) int { _, _ = c.Write(in); return len(in) }}
		_, peer := r.open(pair, p)
		peer.send("x")
		r.until("the answer arrives", peer.has("x"))
		if err := r.loop.Drain(time.Second); err != nil {
			t.Fatal(err)
		}
		r.cycle()
		r.pass(time.Second - wheel.Tick)
		if p.ended() {
			t.Fatal("ended within the grace")
		}
		r.pass(wheel.Tick)
		if !p.ended() {
			t.Fatal("still open after the grace")
		}
		p.expect(t, "open", "data:x", "close:<nil>")
		if !peer.all() {
			t.Error("the peer has no end of input")
		}
		if peer.err != nil {
			t.Errorf("the peer was reset: %v", peer.err)
		}
	})
}

// CloseIdle is Close where something is still under way.
func TestCloseIdleLosesNothing(t *testing.T) {
	skipLayered(t, "CloseIdle over a layer is Close")
	for name, busy := range map[string]func(*rig, *Conn, *socket){
		"output in the kernel": func(r *rig, c *Conn, _ *socket) {
			_, _ = c.Write(pattern(10_000))
			c.flush()
			if !sockets.Unacknowledged(int(c.fd)) {
				r.t.Skip("this system does not report it")
			}
		},
		"output in the queue": func(_ *rig, c *Conn, _ *socket) { _, _ = c.Write(pattern(10_000)) },
		"kept input": func(r *rig, c *Conn, peer *socket) {
			peer.send("half a mess")
			r.until("it is kept", func() bool { return c.Buffered() > 0 })
		},
		"unread input": func(_ *rig, c *Conn, peer *socket) {
			c.PauseRead()
			peer.send("more")
			for sockets.Unread(int(c.fd)) == false {
				time.Sleep(time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			p := &script{data: func(*Conn, []byte) int { return 0 }}
			c, peer := r.open(unixPair, p) // where output counts as under way until it is read
			busy(r, c, peer)
			if name == "output in the kernel" && !sockets.Unacknowledged(int(c.fd)) {
				t.Skip("this system does not tell")
			}
			c.CloseIdle()
			if c.state != closing {
				t.Fatalf("%v, want closing", c.state)
			}
			r.cycle()
			if c.state != lingering {
				t.Errorf("%v, want lingering", c.state)
			}
			peer.all()
			peer.close()
			r.until("the connection ends", p.ended)
			if peer.err != nil {
				t.Errorf("the peer was reset: %v", peer.err)
			}
		})
	}
}

// Listeners that are being closed are waited for, and a loop that ends does not wait.
func TestStopAcceptingWaitsForAllListeners(t *testing.T) {
	for name, end := range map[string]func(r *rig){
		"in time":        func(r *rig) { r.pass(handshakeTime + wheel.Tick) },
		"the loop ends":  func(r *rig) { r.loop.end() },
		"ends before it": func(r *rig) { _ = r.loop.Force(); r.cycle() },
	} {
		r := newRig(t)
		a, _ := r.listen("tcp4", "127.0.0.1:0", hello{})
		r.listen("unix", filepath.Join(t.TempDir(), "s"), hello{})
		_ = a.Close()
		calls := 0
		_ = r.loop.StopAccepting(func() { calls++ })
		r.cycle()
		end(r)
		if calls != 1 || len(r.loop.acceptors) != 0 {
			t.Errorf("%s: done was called %d times, %d listeners are left", name, calls, len(r.loop.acceptors))
		}
	}
}

// Clients that wait in the kernel's queue because of the limit are served by a drain:
// closing the listener would reset them.
func TestStopAcceptingServesTheQueueBeyondTheLimit(t *testing.T) {
	r := newRig(t)
	r.loop.limit = newLimit(1, 0)
	_, addr := r.listen("tcp4", "127.0.0.1:0", hello{})
	var clients []*socket
	for range 4 {
		clients = append(clients, dial(t, addr))
	}
	r.settled()
	if r.loop.conns != 1 {
		t.Fatalf("%d connections, want 1", r.loop.conns)
	}
	stopped := false
	_ = r.loop.StopAccepting(func() { stopped = true })
	r.cycle()
	r.pass(handshakeTime + wheel.Tick)
	for _, client := range clients {
		r.until("the client is greeted", client.has("hello"))
	}
	if !stopped {
		t.Error("still accepting")
	}
	_ = r.loop.Drain(time.Millisecond)
	r.cycle()
	r.pass(time.Second)
	for _, client := range clients {
		if client.all(); client.err != nil {
			t.Errorf("reset: %v", client.err)
		}
		client.close()
	}
	r.until("all have ended", func() bool { return r.loop.conns == 0 })
	if n := r.loop.limit.served.used.Load(); n != 0 {
		t.Errorf("%d connections counted", n)
	}
}

// Short of descriptors, a drain goes on accepting when connections have ended.
func TestDrainServesTheQueueWhenDescriptorsReturn(t *testing.T) {
	r := newRig(t)
	a, addr := r.listen("tcp4", "127.0.0.1:0", hello{})
	faults := inject(r.loop)
	faults.arm(fault{call: onAccept, errno: unix.EMFILE, first: 1, every: 1, last: 1000}, a.fd)
	client := dial(t, addr)
	_ = r.loop.StopAccepting(func() {})
	_ = r.loop.Drain(time.Millisecond)
	for range 3 {
		r.cycle()
		if r.loop.drained() {
			t.Fatal("the drain ends with a client in the queue")
		}
		r.pass(shortageDelay)
	}
	faults.disarm()
	r.until("the client is greeted", func() bool {
		r.now.Add(wheel.Tick)
		r.cycle()
		return client.has("hello")()
	})
	client.close()
	r.until("the drain ends", r.loop.drained)
}
