package eddy_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

func TestListenOnEveryNetwork(t *testing.T) {
	for network, address := range map[string]string{
		"tcp": "127.0.0.1:0", "tcp4": "127.0.0.1:0", "tcp6": "[::1]:0",
		"unix": filepath.Join(t.TempDir(), "socket"),
	} {
		t.Run(network, func(t *testing.T) {
			e := newEngine(t, eddy.Options{Loops: 2})
			ln := listen(t, e, network, address, greeter("hello"))
			if tcp, ok := ln.Addr().(*net.TCPAddr); ok && tcp.Port == 0 {
				t.Error("Addr has port 0")
			}
			if network == "unix" && ln.Addr().String() != address {
				t.Errorf("Addr %v, want %v", ln.Addr(), address)
			}
			run(e)
			for range 5 {
				expect(t, dial(t, ln.Addr()), "hello")
			}
		})
	}
}

func TestListenRefusesNonsense(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	for _, c := range []struct {
		network, address string
		protocol         eddy.Protocol
		says             []string
	}{
		{"udp", "127.0.0.1:0", greeter(""), []string{`"udp"`, "tcp, tcp4, tcp6 or unix"}},
		{"", "127.0.0.1:0", greeter(""), []string{`""`, "tcp, tcp4, tcp6 or unix"}},
		{"tcp", "127.0.0.1:0", nil, []string{"needs a protocol", "nil"}},
		{"tcp", "127.0.0.1", greeter(""), []string{"listen on tcp 127.0.0.1:", "port"}},
		{"tcp", "192.0.2.1:0", greeter(""), []string{"192.0.2.1", "no interface"}},
		{"unix", "/no/such/directory/socket", greeter(""), []string{"/no/such/directory/socket"}},
	} {
		ln, err := e.Listen(c.network, c.address, c.protocol)
		if ln != nil {
			t.Errorf("%s %s: a listener with an error", c.network, c.address)
		}
		says(t, err, append(c.says, "eddy: ")...)
	}
}

// An address in use is an error, and no silent sharing, whoever uses it: other
// sockets of this program and this engine included.
func TestAddressInUse(t *testing.T) {
	for _, loops := range []int{1, 3} {
		plain, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer plain.Close()
		first := newEngine(t, eddy.Options{Loops: loops})
		own := listen(t, first, "tcp4", "127.0.0.1:0", greeter("first"))
		second := newEngine(t, eddy.Options{Loops: loops})

		for name, c := range map[string]struct {
			engine *eddy.Engine
			addr   net.Addr
		}{
			"a plain listener": {second, plain.Addr()},
			"another engine":   {second, own.Addr()},
			"the same engine":  {first, own.Addr()},
		} {
			before := descriptors()
			_, err := c.engine.Listen("tcp4", c.addr.String(), greeter("second"))
			if !errors.Is(err, unix.EADDRINUSE) {
				t.Errorf("%d loops, %s: %v, want EADDRINUSE", loops, name, err)
			}
			says(t, err, c.addr.String(), "choose another port (0 for any free one)")
			if after := descriptors(); after != before {
				t.Errorf("%s: %d descriptors, %d before", name, after, before)
			}
		}
	}
}

// An engine's address is not free for others either.
func TestOthersCannotShareAnEnginesAddress(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 3})
	ln := listen(t, e, "tcp4", "127.0.0.1:0", greeter(""))
	if other, err := net.Listen("tcp4", ln.Addr().String()); err == nil {
		other.Close()
		t.Error("a plain listener has bound the engine's address")
	}
}

func TestSeveralListenersWithTheirOwnProtocols(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 2})
	words := map[string]*eddy.Listener{
		"first":  listen(t, e, "tcp", "127.0.0.1:0", greeter("first")),
		"second": listen(t, e, "tcp", "127.0.0.1:0", greeter("second")),
		"third":  listen(t, e, "unix", filepath.Join(t.TempDir(), "s"), greeter("third")),
	}
	run(e)
	for range 5 {
		for word, ln := range words {
			expect(t, dial(t, ln.Addr()), word)
		}
	}
	late := listen(t, e, "tcp", "127.0.0.1:0", greeter("while it runs"))
	expect(t, dial(t, late.Addr()), "while it runs")
}

// spreading counts the connections of each loop.
type spreading struct {
	mu    sync.Mutex
	loops map[int]int // guarded by mu: by the loop's Index
}

func newSpreading() *spreading { return &spreading{loops: map[int]int{}} }

// Open greets with hello.
func (p *spreading) Open(c *eddy.Conn) eddy.Handler {
	p.mu.Lock()
	p.loops[c.Loop().Index()]++
	p.mu.Unlock()
	return greeter("hello")(c)
}

func TestEveryLoopGetsConnections(t *testing.T) {
	const loops, clients = 3, 150 // chance leaves a loop out once in 10^26 times
	for network, address := range map[string]string{
		"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0", "unix": filepath.Join(t.TempDir(), "s"),
	} {
		t.Run(network, func(t *testing.T) {
			e := newEngine(t, eddy.Options{Loops: loops})
			p := newSpreading()
			ln := listen(t, e, network, address, p.Open)
			run(e)
			for range clients {
				conn := dial(t, ln.Addr())
				expect(t, conn, "hello")
				conn.Close()
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			for i := range loops {
				if p.loops[i] == 0 || len(p.loops) != loops {
					t.Errorf("connections on loops %v, want them on 0 to %d", p.loops, loops-1)
				}
			}
		})
	}
}

func TestClosedListener(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 2})
	path := filepath.Join(t.TempDir(), "s")
	closing := []*eddy.Listener{
		listen(t, e, "tcp", "127.0.0.1:0", greeter("hello")),
		listen(t, e, "unix", path, greeter("hello")),
	}
	staying := listen(t, e, "tcp", "127.0.0.1:0", greeter("stays"))
	run(e)
	for _, ln := range closing {
		conn := dial(t, ln.Addr())
		expect(t, conn, "hello")
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
		await(t, "nobody listens any more", func() bool { return refused(ln.Addr()) })
		if _, err := conn.Write([]byte("still")); err != nil {
			t.Error(err)
		}
		expect(t, conn, "still") // open connections stay so
		if err := ln.Close(); err != nil {
			t.Errorf("closed twice: %v", err)
		}
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket file: %v, want it removed", err)
	}
	expect(t, dial(t, staying.Addr()), "stays")
	again := listen(t, e, "tcp", closing[0].Addr().String(), greeter("again"))
	expect(t, dial(t, again.Addr()), "again")
}

func TestListenerClosedBeforeRun(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 2})
	before := descriptors()
	path := filepath.Join(t.TempDir(), "s")
	closing := []*eddy.Listener{
		listen(t, e, "tcp", "127.0.0.1:0", greeter("")),
		listen(t, e, "unix", path, greeter("")),
	}
	staying := listen(t, e, "tcp", "127.0.0.1:0", greeter("stays"))
	for _, ln := range closing {
		for range 2 { // twice does no harm
			if err := ln.Close(); err != nil {
				t.Error(err)
			}
		}
		if !refused(ln.Addr()) {
			t.Errorf("%v still takes connections", ln.Addr())
		}
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket file: %v, want it removed", err)
	}
	if after := descriptors(); after > before+2 { // those of staying
		t.Errorf("%d descriptors, %d before", after, before)
	}
	run(e)
	expect(t, dial(t, staying.Addr()), "stays")
}

// Listeners come and go, each with a protocol of its own.
func TestClosedListenersLeaveNothingBehind(t *testing.T) {
	const times, most = 2000, 100 // bytes of each
	e := newEngine(t, eddy.Options{Loops: 2})
	run(e)
	again := func() {
		server, err := http1.New(func(*http1.Response, *http1.Request) {}, http1.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ln := listen(t, e, "tcp4", "127.0.0.1:0", server.Open)
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for range times / 10 { // these allocate the memory that stays
		again()
	}
	before, open := heap(t, e), descriptors()
	for i := range times {
		again()
		if i%50 == 0 { // the memory that a loop keeps for tasks depends on how many have waited
			if err := e.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	await(t, "memory is free", func() bool { return heap(t, e) < before+times*most })
	await(t, "descriptors are closed", func() bool { return descriptors() <= open })
}

// heap is how many bytes are in use when all loops have done what they were given.
func heap(t *testing.T, e *eddy.Engine) uint64 {
	t.Helper()
	if err := e.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.GC() // the second frees the memory that finalizers and cleanups of the first have released
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// A protocol without a handler costs its own connections only.
func TestProtocolsWithoutAHandler(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 2})
	without := listen(t, e, "tcp", "127.0.0.1:0", func(*eddy.Conn) eddy.Handler { return nil })
	panics := listen(t, e, "tcp", "127.0.0.1:0", func(*eddy.Conn) eddy.Handler { panic("in a protocol") })
	with := listen(t, e, "tcp", "127.0.0.1:0", greeter("hello"))
	run(e)
	for _, ln := range []*eddy.Listener{without, panics} {
		conn, err := net.DialTimeout("tcp", ln.Addr().String(), patience) // the reset may be faster
		if err == nil {
			_ = conn.SetDeadline(time.Now().Add(patience))
			_, err = io.ReadAll(conn)
			conn.Close()
		}
		if !errors.Is(err, unix.ECONNRESET) {
			t.Errorf("a connection without a handler ended with %v, want a reset", err)
		}
	}
	expect(t, dial(t, with.Addr()), "hello")
}

// Connections beyond MaxConns are served like others by a protocol that does not look.
func TestConnectionsBeyondMaxConns(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 2, MaxConns: 1, MaxRefusals: 10})
	greets := listen(t, e, "tcp", "127.0.0.1:0", greeter("hello"))
	refuses := listen(t, e, "tcp", "127.0.0.1:0", func(c *eddy.Conn) eddy.Handler {
		if c.Overloaded() {
			c.Close()
		}
		return greeter("hello")(c)
	})
	run(e)
	first := dial(t, refuses.Addr())
	expect(t, first, "hello")
	for range 3 {
		if got, err := io.ReadAll(dial(t, refuses.Addr())); err != nil || len(got) > 0 {
			t.Errorf("beyond the limit: %q, %v, want an orderly end", got, err)
		}
		expect(t, dial(t, greets.Addr()), "hello")
	}
	await(t, "they are counted as refused", func() bool { return e.Stats().Refused == 6 })
	first.Close()
	await(t, "there is room again", func() bool {
		conn := dial(t, refuses.Addr())
		defer conn.Close()
		got, err := io.ReadFull(conn, make([]byte, len("hello")))
		return err == nil && got == len("hello")
	})
}

func TestDialWithoutAProtocol(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	run(e)
	failed := make(chan error, 1)
	if err := e.Dial("tcp", "127.0.0.1:1", nil, patience, func(_ *eddy.Conn, err error) { failed <- err }); err != nil {
		t.Fatal(err)
	}
	says(t, receive(t, failed, "the failure is reported"), "the protocol is nil")
}
