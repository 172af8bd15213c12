package eddy_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/eddynet/eddy"
)

// listening is a listener as a program has it.
func listening(t *testing.T, network string) net.Listener {
	t.Helper()
	address := map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0", "unix": filepath.Join(t.TempDir(), "s")}[network]
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

func TestServeAListenerOfPackageNet(t *testing.T) {
	const loops = 3
	for _, network := range []string{"tcp4", "tcp6", "unix"} {
		t.Run(network, func(t *testing.T) {
			from := listening(t, network)
			waiting := dial(t, from.Addr()) // in the kernel's queue
			e := newEngine(t, eddy.Options{Loops: loops})
			p := newSpreading()
			ln, err := e.Serve(from, p.Open)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := ln.Addr().String(), from.Addr().String(); got != want {
				t.Errorf("Addr %v, want %v", got, want)
			}
			if _, err := from.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the program's own listener: %v, want it closed", err)
			}
			run(e)
			expect(t, waiting, "hello")
			for range 2*loops - 1 {
				expect(t, dial(t, ln.Addr()), "hello")
			}
			p.mu.Lock()
			for i := range loops {
				if p.loops[i] != 2 {
					t.Errorf("%d connections on loop %d, want 2: %v", p.loops[i], i, p.loops)
				}
			}
			p.mu.Unlock()
			if err := ln.Close(); err != nil {
				t.Fatal(err)
			}
			await(t, "nobody listens any more", func() bool { return refused(ln.Addr()) })
		})
	}
}

// Its file belongs to whoever has bound it, as with ListenFile.
func TestServedSocketFileStays(t *testing.T) {
	from := listening(t, "unix")
	e := newEngine(t, eddy.Options{Loops: 1})
	if _, err := e.Serve(from, greeter("hello")); err != nil {
		t.Fatal(err)
	}
	result := run(e)
	expect(t, dial(t, from.Addr()), "hello")
	cutOff(e)
	receive(t, result, "Run ends")
	if _, err := os.Lstat(from.Addr().String()); err != nil {
		t.Errorf("the file of a socket that the program has bound: %v", err)
	}
}

// A listener that cannot be served is the program's as before.
func TestServeThatFailsLeavesTheListenerAlone(t *testing.T) {
	ended := newEngine(t, eddy.Options{Loops: 1})
	if err := ended.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	ready := newEngine(t, eddy.Options{Loops: 1})
	for name, c := range map[string]struct {
		engine   *eddy.Engine
		wrap     func(ln net.Listener) net.Listener
		protocol eddy.Protocol
		says     []string
	}{
		"no socket":    {ready, func(ln net.Listener) net.Listener { return wrappedListener{ln} }, greeter(""), []string{"eddy_test.wrappedListener has no socket", "Engine.Adopt"}},
		"no protocol":  {ready, nil, nil, []string{"needs a protocol", "nil"}},
		"ended engine": {ended, nil, greeter(""), []string{eddy.ErrServerClosed.Error()}},
	} {
		for _, network := range []string{"tcp4", "unix"} {
			t.Run(name+"/"+network, func(t *testing.T) {
				ln := listening(t, network)
				given := ln
				if c.wrap != nil {
					given = c.wrap(ln)
				}
				before := descriptors()
				served, err := c.engine.Serve(given, c.protocol)
				if served != nil {
					t.Error("a listener with an error")
				}
				says(t, err, c.says...)
				if after := descriptors(); after != before {
					t.Errorf("%d descriptors, %d before", after, before)
				}
				peer := dial(t, ln.Addr())
				conn, err := ln.Accept()
				if err != nil {
					t.Fatal(err)
				}
				conn.Close()
				peer.Close()
				ln.Close()
				if _, err := os.Lstat(ln.Addr().String()); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("the socket file: %v, want it removed by the listener's Close", err)
				}
			})
		}
	}
}

// wrappedListener stands for a listener of crypto/tls.
type wrappedListener struct{ net.Listener }

func TestServeRefusesClosedListeners(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	ln := listening(t, "tcp4")
	ln.Close()
	_, err := e.Serve(ln, greeter(""))
	says(t, err, "eddy: ", "closed")
	_, err = e.Serve(nil, greeter(""))
	says(t, err, "eddy: ", "no socket")
}

// Whoever is in the kernel's queue when the drain begins is served.
func TestDrainServesTheQueueOfAServedListener(t *testing.T) {
	for _, network := range []string{"tcp4", "unix"} {
		t.Run(network, func(t *testing.T) {
			from := listening(t, network)
			e := newEngine(t, eddy.Options{Loops: 3, DrainGrace: 10 * time.Millisecond})
			if _, err := e.Serve(from, greeter("hello")); err != nil {
				t.Fatal(err)
			}
			var conns []net.Conn
			for range 30 {
				conns = append(conns, dial(t, from.Addr()))
			}
			ctx, cancel := context.WithCancel(context.Background())
			cancel() // the drain begins before the first cycle
			result := make(chan error, 1)
			go func() { result <- e.Run(ctx) }()
			for _, conn := range conns {
				got, err := io.ReadAll(conn)
				if err != nil || string(got) != "hello" {
					t.Errorf("got %q, %v, want a greeting and an orderly end", got, err)
				}
				conn.Close()
			}
			if err := receive(t, result, "Run ends"); err != nil {
				t.Errorf("Run: %v after a clean drain", err)
			}
			if !refused(from.Addr()) {
				t.Error("somebody still listens")
			}
		})
	}
}
