package eddy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy"
)

// connectionKinds are connections that a program may have.
var connectionKinds = map[string]func(t *testing.T) (ours, peer net.Conn){
	"TCP":  func(t *testing.T) (ours, peer net.Conn) { return accepted(t, "tcp4", "127.0.0.1:0") },
	"TCP6": func(t *testing.T) (ours, peer net.Conn) { return accepted(t, "tcp6", "[::1]:0") },
	"Unix": func(t *testing.T) (ours, peer net.Conn) {
		return accepted(t, "unix", filepath.Join(t.TempDir(), "s"))
	},
	"file": socketPair,
}

// accepted is both ends of a connection that package net has made.
func accepted(t *testing.T, network, address string) (ours, peer net.Conn) {
	t.Helper()
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	peer = dial(t, ln.Addr())
	if ours, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	return ours, peer
}

func socketPair(t *testing.T) (ours, peer net.Conn) { return socketPairOf(t, unix.SOCK_STREAM) }

// socketPairOf has descriptors for connections, of which net.FileConn makes its own.
func socketPairOf(t *testing.T, kind int) (ours, peer net.Conn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, kind, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]net.Conn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socket")
		ends[i], err = net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ends[i].Close() })
	}
	if err := ends[1].SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return ends[0], ends[1]
}

// adopt gives conn to the engine. What done is called with comes out of the channel.
func adopt(t *testing.T, e *eddy.Engine, conn net.Conn, p eddy.Protocol) <-chan error {
	t.Helper()
	done := make(chan error, 2) // one more than there should be
	err := e.Adopt(conn, p, func(c *eddy.Conn, err error) {
		if (c == nil) != (err != nil) {
			t.Errorf("done was called with %v and %v", c, err)
		}
		done <- err
	})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// once expects no second call of done by loops that have gone on.
func once(t *testing.T, e *eddy.Engine, done <-chan error) {
	t.Helper()
	if err := e.Ping(t.Context()); err != nil && err != eddy.ErrServerClosed {
		t.Fatal(err)
	}
	if len(done) > 0 {
		t.Errorf("done was called again, with %v", <-done)
	}
}

func TestAdoptedConnectionIsServed(t *testing.T) {
	for name, pair := range connectionKinds {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, eddy.Options{Loops: 2})
			run(e)
			ours, peer := pair(t)
			if _, err := io.WriteString(peer, "early"); err != nil { // before the loop has the socket
				t.Fatal(err)
			}
			done := adopt(t, e, ours, greeter("hello"))
			if err := receive(t, done, "done is called"); err != nil {
				t.Fatal(err)
			}
			expect(t, peer, "helloearly")
			if _, err := ours.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
				t.Errorf("the program's own connection: %v, want it closed", err)
			}
			if _, err := io.WriteString(peer, "late"); err != nil {
				t.Fatal(err)
			}
			expect(t, peer, "late")
			if err := peer.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(peer); err != nil || len(got) > 0 {
				t.Errorf("%q, %v, want an orderly end", got, err)
			}
			once(t, e, done)
			await(t, "it is counted", func() bool {
				s := e.Stats()
				return s.Dialled == 1 && s.Closed == 1 && s.BytesRead == uint64(len("earlylate"))
			})
		})
	}
}

func TestAdoptedConnectionsHaveAddresses(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	run(e)
	ours, peer := accepted(t, "tcp4", "127.0.0.1:0")
	adopt(t, e, ours, func(c *eddy.Conn) eddy.Handler {
		_, _ = fmt.Fprintf(c, "%v %v\n", c.RemoteAddr(), c.LocalAddr())
		return echo{}
	})
	expect(t, peer, fmt.Sprintf("%v %v\n", peer.LocalAddr(), peer.RemoteAddr()))
}

func TestAdoptTakesTheLoopsInTurn(t *testing.T) {
	const loops = 3
	e := newEngine(t, eddy.Options{Loops: loops})
	run(e)
	p := newSpreading()
	for range 2 * loops {
		ours, peer := socketPair(t)
		adopt(t, e, ours, p.Open)
		expect(t, peer, "hello")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range loops {
		if p.loops[i] != 2 {
			t.Errorf("%d connections on loop %d, want 2: %v", p.loops[i], i, p.loops)
		}
	}
}

func TestAdoptRefusesNonsense(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	run(e)
	for name, c := range map[string]struct {
		pair     func(t *testing.T) (ours, peer net.Conn)
		protocol eddy.Protocol
		says     []string
	}{
		"no socket":   {func(*testing.T) (ours, peer net.Conn) { return net.Pipe() }, greeter(""), []string{"*net.pipe", "only *net.TCPConn and *net.UnixConn"}},
		"wrapped":     {wrappedPair, greeter(""), []string{"eddy_test.wrappedConn", "only *net.TCPConn and *net.UnixConn"}},
		"no protocol": {socketPair, nil, []string{"the protocol is nil"}},
		"closed":      {closedPair, greeter(""), []string{"eddy: adopt a connection", "closed"}},
	} {
		t.Run(name, func(t *testing.T) {
			ours, peer := c.pair(t)
			done := adopt(t, e, ours, c.protocol)
			says(t, receive(t, done, "done is called"), c.says...)
			if n, err := peer.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("the peer read %d bytes, %v, want the connection closed", n, err)
			}
			once(t, e, done)
		})
	}
	if s := e.Stats(); s.Dialled != 0 {
		t.Errorf("%d connections were opened", s.Dialled)
	}
}

// A datagram is not a part of a stream: an empty one would be the end of the input.
func TestAdoptRefusesDatagrams(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	run(e)
	ours, _ := socketPairOf(t, unix.SOCK_DGRAM)
	done := adopt(t, e, ours, greeter(""))
	says(t, receive(t, done, "done is called"), "eddy: ", "unixgram", "not a stream")
	if _, err := ours.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the program's own connection: %v, want it closed", err)
	}
}

// wrappedConn stands for a connection of crypto/tls: its socket has not what it says.
type wrappedConn struct{ net.Conn }

func wrappedPair(t *testing.T) (ours, peer net.Conn) {
	ours, peer = socketPair(t)
	return wrappedConn{ours}, peer
}

func closedPair(t *testing.T) (ours, peer net.Conn) {
	ours, peer = socketPair(t)
	ours.Close()
	return ours, peer
}

func TestAdoptWithoutDoneLogsAnError(t *testing.T) {
	var log logged
	e := newEngine(t, eddy.Options{Loops: 1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	run(e)
	ours, _ := net.Pipe()
	if err := e.Adopt(ours, greeter(""), nil); err != nil {
		t.Fatal(err)
	}
	await(t, "it is logged", func() bool { return len(log.lines("*net.pipe")) > 0 })
}

func TestAdoptBeyondMaxConns(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1, MaxConns: 1})
	run(e)
	first, firstPeer := socketPair(t)
	adopt(t, e, first, greeter("hello"))
	expect(t, firstPeer, "hello")
	second, secondPeer := socketPair(t)
	done := adopt(t, e, second, greeter("hello"))
	says(t, receive(t, done, "done is called"), "limit of open connections", "raise Options.MaxConns")
	if got, err := io.ReadAll(secondPeer); err != nil || len(got) > 0 {
		t.Errorf("%q, %v from a connection that was not opened", got, err)
	}
}

func TestAdoptBeforeRun(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	ours, peer := socketPair(t)
	done := adopt(t, e, ours, greeter("hello"))
	run(e)
	if err := receive(t, done, "done is called"); err != nil {
		t.Fatal(err)
	}
	expect(t, peer, "hello")
}

func TestAdoptOfAnEngineThatNeverRuns(t *testing.T) {
	before := descriptors()
	e := newEngine(t, eddy.Options{Loops: 2})
	ours, peer := socketPair(t)
	done := adopt(t, e, ours, greeter(""))
	if err := e.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	receive(t, done, "done is called")
	once(t, e, done)
	if _, err := io.ReadAll(peer); err != nil && !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("the peer: %v, want the end", err)
	}
	peer.Close()
	if after := descriptors(); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

func TestAdoptAfterShutdown(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 2})
	if err := e.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	ours, peer := socketPair(t)
	err := e.Adopt(ours, greeter(""), func(*eddy.Conn, error) { t.Error("done was called") })
	if err != eddy.ErrServerClosed {
		t.Errorf("Adopt: %v, want ErrServerClosed", err)
	}
	if n, err := peer.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the peer read %d bytes, %v, want the connection closed", n, err)
	}
}

// A connection that comes during the drain is served, and notified like the others.
func TestAdoptDuringADrain(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1, DrainGrace: time.Millisecond})
	told := make(chan struct{}, 1)
	staying, stayingPeer := socketPair(t)
	adopt(t, e, staying, greeting("stays", stubborn{told: told}))
	result := run(e)
	expect(t, stayingPeer, "stays")
	shut := make(chan error, 1)
	go func() { shut <- e.Shutdown(context.Background()) }()
	receive(t, told, "the drain begins")

	ours, peer := socketPair(t)
	done := adopt(t, e, ours, greeter("hello"))
	if err := receive(t, done, "done is called"); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(peer); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v, want a greeting and an orderly end", got, err)
	}
	stayingPeer.Close()
	if err := receive(t, shut, "Shutdown ends"); err != nil {
		t.Error(err)
	}
	if err := receive(t, result, "Run ends"); err != nil {
		t.Errorf("Run: %v after a clean drain", err)
	}
}

// Others who share a socket may have made it blocking. Its loop must not block.
func TestAdoptedSocketThatWasMadeBlocking(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1, HighWater: 2 << 20})
	run(e)
	ours, peer := socketPair(t)
	if err := unix.SetNonblock(int(fileOf(t, ours).Fd()), false); err != nil {
		t.Fatal(err)
	}
	refs := make(chan eddy.Ref, 1)
	word := strings.Repeat("x", 1<<20) // more than the kernel takes
	adopt(t, e, ours, func(c *eddy.Conn) eddy.Handler {
		refs <- c.Ref()
		return greeter(word)(c)
	})
	t.Cleanup(func() { peer.Close() }) // would set a blocked loop free
	ref := receive(t, refs, "the connection is opened")
	for range 3 {
		if err := ref.Write([]byte("y")); err != nil { // while the kernel has no room
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := e.Ping(ctx); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, peer, word+"yyy")
}
