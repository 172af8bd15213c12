package loop

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/poller"
)

func TestDetachGivesTheConnectionAway(t *testing.T) {
	r := newRig(t)
	before := openDescriptors()
	ours, peer := slowPair(t, tcpPair)
	p := &script{data: func(*Conn, []byte) int { return 0 }}
	c := r.adopt(ours, p)
	peer.send("unused")
	r.until("input arrives", func() bool { return p.count("data:") == 1 })

	pending := pattern(500_000)
	releases := 0
	_ = c.WriteOwned(pending[:250_000], func() { releases++ })
	_ = c.SendFile(tempFile(t, pending), 250_000, 250_000)
	r.settled()
	conn, input, err := c.Detach()
	if err != nil {
		t.Fatal(err)
	}
	if string(input) != "unused" {
		t.Errorf("input %q came along", input)
	}
	p.expect(t, "open", "data:unused")
	r.settled()
	p.expect(t, "open", "data:unused", "close:"+ErrDetached.Error())

	finish(t, conn, peer)
	if want := append(pending, "behind it"...); !bytes.Equal(peer.got, want) {
		t.Errorf("peer got %d bytes, want %d: the pending ones, then the new", len(peer.got), len(want))
	}
	r.until("it is released, on the loop", func() bool { return releases > 0 })
	r.settled()
	if releases != 1 {
		t.Errorf("released %d times, want once", releases)
	}
	peer.close()
	if after := openDescriptors(); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
	if n := r.loop.limit.served.used.Load(); n != 0 || r.loop.conns != 0 {
		t.Errorf("%d connections counted, %d on the loop", n, r.loop.conns)
	}
}

// When the loop has ended, what is still to be released is released elsewhere, and a
// panic there ends nothing.
func TestDetachedOutputIsReleasedAfterTheLoop(t *testing.T) {
	r := newRig(t)
	ours, peer := slowPair(t, tcpPair)
	c := r.adopt(ours, &script{})
	released := make(chan error, 1)
	_ = c.WriteOwned(pattern(500_000), func() {
		released <- nil
		panic("after the loop")
	})
	conn, _, err := c.Detach()
	if err != nil {
		t.Fatal(err)
	}
	r.loop.end()
	finish(t, conn, peer)
	if err := receive(t, released, "the output is released"); err != nil {
		t.Error(err)
	}
	if n := r.logged.count("callback panicked"); n != 1 {
		t.Errorf("%d panics in the log, want one", n)
	}
}

func TestDetachedConnectionHasDeadlines(t *testing.T) {
	r := newRig(t)
	c, _ := r.open(tcpPair, &script{})
	conn, _, err := c.Detach()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r.settled()
	if err := conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v, want the deadline", err)
	}
}

func TestDetachOfAClosedConnection(t *testing.T) {
	r := newRig(t)
	c, _ := r.open(unixPair, &script{})
	c.Close()
	if _, _, err := c.Detach(); err != ErrClosed {
		t.Errorf("error %v, want ErrClosed", err)
	}
}

// The loop's descriptor is gone with Detach, and its number may be somebody
// else's: the end of the connection must not touch it.
func TestDetachLeavesTheNextOwnerOfTheNumberAlone(t *testing.T) {
	r := newRig(t)
	p := &script{closed: func(*Conn, error) { panic("in OnClose") }} // which asks for a reset
	c, _ := r.open(tcpPair, p)
	number := int(c.fd)
	conn, _, err := c.Detach()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	a, b := newTCPPair(t)
	if a.fd != number && b.fd != number {
		t.Skipf("descriptor %d was not reused", number)
	}
	r.settled()
	b.send("x")
	a.wait(unix.POLLIN)
	b.close()
	a.readToEnd(10)
	if a.err != nil || string(a.got) != "x" {
		t.Errorf("the next owner was reset, or closed: %v, %q", a.err, a.got)
	}
}

// A paused connection whose peer has gone is not in the poller any more.
func TestDetachOfAnUnwatchedConnection(t *testing.T) {
	r := newRig(t)
	p := &script{open: (*Conn).PauseRead}
	c, peer := r.open(unixPair, p)
	peer.send("last words")
	peer.close()
	r.settled()
	conn, _, err := c.Detach()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got, err := io.ReadAll(conn); string(got) != "last words" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}

// finish writes behind what is pending on a detached connection, and closes it, while the
// peer reads to the end.
func finish(t *testing.T, conn net.Conn, peer *socket) {
	t.Helper()
	written := make(chan error, 1)
	go func() {
		_, err := io.WriteString(conn, "behind it")
		written <- errors.Join(err, conn.Close())
	}()
	peer.readToEnd(1 << 20)
	if err := receive(t, written, "the write ends"); err != nil {
		t.Error(err)
	}
}

// Whether output is pending or not, the connection can be closed halfway.
func TestDetachedConnectionHasCloseWrite(t *testing.T) {
	for name, pair := range map[string]pairKind{"tcp": tcpPair, "unix": unixPair} {
		for _, size := range []int{0, 500_000} {
			r := newRig(t)
			ours, peer := slowPair(t, pair)
			c := r.adopt(ours, &script{})
			if size > 0 {
				_ = c.WriteOwned(pattern(size), func() {})
			}
			conn, _, err := c.Detach()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			half, ok := conn.(interface{ CloseWrite() error })
			if !ok {
				t.Fatalf("%s, %d bytes pending: %T has no CloseWrite", name, size, conn)
			}
			closed := make(chan error, 1)
			go func() { closed <- half.CloseWrite() }()
			peer.readToEnd(1 << 20)
			if err := receive(t, closed, "CloseWrite returns"); err != nil || len(peer.got) != size || peer.err != nil {
				t.Errorf("%s: %v, peer got %d bytes of %d, %v", name, err, len(peer.got), size, peer.err)
			}
			peer.send("answer")
			got := make([]byte, len("answer"))
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != "answer" {
				t.Errorf("%s: read %q, %v behind the half-close", name, got, err)
			}
			r.settled() // what was released is on its way to the loop
		}
	}
}

// The connection goes on, and closes its layers at its end.
func TestDetachThatFailsLeavesTheConnection(t *testing.T) {
	r := newRig(t)
	before := openDescriptors()
	closes := 0
	p := &script{open: func(c *Conn) {
		_ = c.AddLayer(func(below Transport) Transport { return &closeCounter{below, &closes} })
	}}
	c, peer := r.open(tcpPair, p)
	registrations := r.loop.poller
	r.loop.poller = undeletable{registrations}
	if conn, _, err := c.Detach(); err != unix.EIO || conn != nil {
		t.Errorf("%v, error %v, want that of the poller", conn, err)
	}
	r.loop.poller = registrations
	socket, file := c.fd, tempFile(t, nil)
	c.fd = int32(file.Fd())
	if conn, _, err := c.Detach(); !errors.Is(err, unix.ENOTSOCK) || conn != nil {
		t.Errorf("%v, error %v, want that of a file which is not a socket", conn, err)
	}
	c.fd = socket
	_ = file.Close()
	peer.send("still there")
	r.until("input arrives", func() bool { return p.count("data:") == 1 })
	c.Close()
	peer.close()
	r.until("the connection is closed", p.ended)
	if after := openDescriptors(); closes != 1 || after != before {
		t.Errorf("the layer was closed %d times, want once; %d descriptors, %d before", closes, after, before)
	}
}

type closeCounter struct {
	Transport
	closes *int
}

func (l *closeCounter) Close(reset bool) {
	*l.closes++
	l.Transport.Close(reset)
}

type undeletable struct{ poller.Backend }

func (undeletable) Delete(int) error { return unix.EIO }
