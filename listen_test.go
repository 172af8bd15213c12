package eddy_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy"
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

// spreading notes which loops its connections live on.
type spreading struct {
	greeter
	mu    sync.Mutex
	loops map[*eddy.Loop]int
	bound int
}

func (p *spreading) Bind(l *eddy.Loop) eddy.Protocol {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bound++
	return p
}

func (p *spreading) OnOpen(c *eddy.Conn) {
	p.mu.Lock()
	p.loops[c.Loop()]++
	p.mu.Unlock()
	p.greeter.OnOpen(c)
}

func TestEveryLoopGetsConnections(t *testing.T) {
	const loops, clients = 3, 150 // chance leaves a loop out once in 10^26 times
	for network, address := range map[string]string{
		"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0", "unix": filepath.Join(t.TempDir(), "s"),
	} {
		t.Run(network, func(t *testing.T) {
			e := newEngine(t, eddy.Options{Loops: loops})
			p := &spreading{greeter: "hello", loops: map[*eddy.Loop]int{}}
			ln := listen(t, e, network, address, p)
			run(e)
			for range clients {
				conn := dial(t, ln.Addr())
				expect(t, conn, "hello")
				conn.Close()
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if len(p.loops) != loops || p.bound != loops {
				t.Errorf("connections on %d of %d loops, bound to %d: %v", len(p.loops), loops, p.bound, p.loops)
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
