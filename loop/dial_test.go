package loop

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
	"github.com/eddynet/eddy/internal/wheel"
)

// outcome is what Dial reports.
type outcome struct {
	calls int
	conn  *Conn
	err   error
}

func (o *outcome) done(c *Conn, err error) { o.calls, o.conn, o.err = o.calls+1, c, err }

func (o *outcome) reported() bool { return o.calls > 0 }

func TestDialConnects(t *testing.T) {
	for network, address := range map[string]string{
		"tcp": "127.0.0.1:0", "tcp4": "127.0.0.1:0", "tcp6": "[::1]:0",
		"unix": filepath.Join(t.TempDir(), "socket"),
	} {
		t.Run(network, func(t *testing.T) {
			r := newRig(t)
			_, addr := r.listen(network, address, hello{})
			p := &script{}
			var o outcome
			r.loop.Dial(network, addr.String(), p.Open, time.Minute, func(c *Conn, err error) {
				p.note("done")
				o.done(c, err)
				_, _ = c.WriteString("!")
			})
			if o.reported() {
				t.Error("reported inside Dial")
			}
			r.until("the greeting and the echo arrive", func() bool { return string(p.input) == "hello!" })
			r.pass(2 * time.Minute) // the time limit has been lifted
			if o.calls != 1 || o.err != nil || o.conn == nil || !o.conn.Open() {
				t.Errorf("outcome %+v, want one open connection", o)
			}
			if p.calls[0] != "open" || p.calls[1] != "done" {
				t.Errorf("calls %q, want OnOpen, then done", p.calls)
			}
			if got := o.conn.RemoteAddr().String(); network != "unix" && got != addr.String() {
				t.Errorf("RemoteAddr %s, dialled %s", got, addr)
			}
			if n := len(r.loop.table.All()); n != 3 { // both ends, and the listener
				t.Errorf("%d registrations, want 3", n)
			}
		})
	}
}

func TestDialRefused(t *testing.T) {
	fds, addr, err := sockets.Listen(t.Context(), "tcp4", "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	sockets.Close(fds[0])
	for network, address := range map[string]string{
		"tcp":  addr.String(),
		"unix": filepath.Join(t.TempDir(), "nobody"),
	} {
		r := newRig(t)
		before := openDescriptors()
		p := &script{}
		var o outcome
		r.loop.Dial(network, address, p.Open, time.Minute, o.done)
		r.until("the failure is reported", o.reported)
		r.settled()
		if !errors.Is(o.err, unix.ECONNREFUSED) && !errors.Is(o.err, unix.ENOENT) || o.conn != nil || o.calls != 1 {
			t.Errorf("%s: outcome %+v, want one refusal", network, o)
		}
		p.expect(t)
		if after := openDescriptors(); after != before || len(r.loop.table.All()) != 0 {
			t.Errorf("%s: %d descriptors, %d before; %d registrations", network, after, before, len(r.loop.table.All()))
		}
	}
}

func TestDialBadAddress(t *testing.T) {
	for _, c := range []struct{ network, address string }{
		{"udp", "127.0.0.1:1"}, {"tcp", "no port"}, {"tcp", "127.0.0.1:no-such-service"},
	} {
		r := newRig(t)
		var o outcome
		r.loop.Dial(c.network, c.address, (&script{}).Open, time.Minute, o.done)
		r.until("the failure is reported", o.reported)
		if o.err == nil || o.conn != nil {
			t.Errorf("%s %s: outcome %+v, want an error", c.network, c.address, o)
		}
	}
}

func TestDialTimesOut(t *testing.T) {
	r := newRig(t)
	var o outcome
	r.loop.Dial("tcp4", fullListener(t).String(), (&script{}).Open, 20*time.Millisecond, o.done)
	r.until("the timeout is reported", o.reported)
	var timeout net.Error
	if !errors.As(o.err, &timeout) || !timeout.Timeout() || o.conn != nil {
		t.Errorf("outcome %+v, want a timeout", o)
	}
	r.settled()
	if n := len(r.loop.table.All()); n != 0 {
		t.Errorf("%d registrations left", n)
	}
}

// fullListener is an address whose queue is full: nobody gets an answer there.
func fullListener(t *testing.T) net.Addr {
	t.Helper()
	return fillQueue(t, "tcp4", "127.0.0.1:0")
}

// fillQueue listens on an address, with a full queue.
func fillQueue(t *testing.T, network, address string) net.Addr {
	t.Helper()
	fds, addr, err := sockets.Listen(t.Context(), network, address, 1)
	if err != nil {
		t.Fatal(err)
	}
	listener := adoptSocket(t, fds[0])
	listener.must("listen", unix.Listen(listener.fd, 0))
	target, err := unix.Getsockname(listener.fd)
	if err != nil {
		t.Fatal(err)
	}
	family := unix.AF_INET
	if network == "tcp6" {
		family = unix.AF_INET6
	}
	for range 8 {
		fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		client := adoptSocket(t, fd)
		if err = unix.Connect(fd, target); err != nil && err != unix.EINPROGRESS {
			client.must("connect", err)
		}
	}
	return addr
}

// Whoever dials is told, though the loop ends: while a name is looked up, or an
// attempt is under way.
func TestDialWhileTheLoopEnds(t *testing.T) {
	for name, cycles := range map[string]int{"at once": 0, "later": 3} {
		r := newRig(t)
		addr := fullListener(t)
		var o outcome
		r.loop.Dial("tcp4", addr.String(), (&script{}).Open, time.Minute, o.done)
		for range cycles {
			r.cycle()
		}
		r.loop.end()
		if o.calls != 1 || !errors.Is(o.err, ErrServerClosed) {
			t.Errorf("%s: outcome %+v, want ErrServerClosed", name, o)
		}
	}
}

func TestDialBeyondMaxConns(t *testing.T) {
	r := newRig(t)
	r.loop.limit = newLimit(0, 0)
	fds, addr, err := sockets.Listen(t.Context(), "tcp4", "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	adoptSocket(t, fds[0])
	var o outcome
	r.loop.Dial("tcp4", addr.String(), (&script{}).Open, time.Minute, o.done)
	r.until("the failure is reported", o.reported)
	if !errors.Is(o.err, errMaxConns) {
		t.Errorf("outcome %+v, want the limit", o)
	}
	if n := r.loop.limit.served.used.Load(); n != 0 {
		t.Errorf("%d connections counted", n)
	}
}

// A poller without room delays the connection's events, and costs nothing else.
func TestDialWithoutRoomInThePoller(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	r := newRig(t)
	short := &crowded{Backend: r.loop.poller, errno: unix.ENOMEM}
	r.loop.poller = short
	var made outcome
	p := &script{}
	r.loop.Dial("tcp4", ln.Addr().String(), p.Open, time.Minute, made.done)
	r.until("the connection is reported", made.reported)
	if made.err != nil {
		t.Fatal(made.err)
	}
	peer, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	r.settled()
	p.expect(t, "open")
	short.errno = 0
	r.until("its input arrives", func() bool {
		r.now.Add(wheel.Tick)
		return p.count("data:x") == 1
	})
}

// done is called once, and nobody is connected to.
func TestDialWithoutAProtocol(t *testing.T) {
	r := newRig(t)
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var o outcome
	r.loop.Dial("tcp4", ln.Addr().String(), nil, time.Minute, o.done)
	r.until("the failure is reported", o.reported)
	r.settled()
	if !errors.Is(o.err, errNoProtocol) || o.conn != nil || o.calls != 1 {
		t.Errorf("outcome %+v, want one error", o)
	}
}

// A name has two addresses, and the one that is tried first does not answer.
func TestDialTriesTheOtherFamily(t *testing.T) {
	r := newRig(t)
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	port := ln.Addr().(*net.TCPAddr).Port
	fillQueue(t, "tcp6", fmt.Sprintf("[::1]:%d", port))
	resolveTo(t, netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	var o outcome
	r.loop.Dial("tcp", fmt.Sprintf("both.test:%d", port), (&script{}).Open, time.Hour, o.done)
	r.until("it is connected", o.reported)
	if o.err != nil {
		t.Fatal(o.err)
	}
	if got := o.conn.RemoteAddr().String(); got != ln.Addr().String() {
		t.Errorf("connected to %s, want %s", got, ln.Addr())
	}
}

// resolveTo has every name resolve to one IPv6 and one IPv4 address, until the test
// ends.
func resolveTo(t *testing.T, v6, v4 netip.Addr) {
	t.Helper()
	before := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = before })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go answerName(theirs, v6.AsSlice(), v4.AsSlice())
		return ours, nil
	}}
}

// answerName answers one question of DNS over TCP (RFC 1035, 4.2.2).
func answerName(conn net.Conn, v6, v4 []byte) {
	defer conn.Close()
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return
	}
	question := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, question); err != nil {
		return
	}
	const header, typeA = 12, 1
	end := header + bytes.IndexByte(question[header:], 0) + 1 // of the name; type and class follow
	question = question[:end+4]                               // without EDNS
	address := v6
	if binary.BigEndian.Uint16(question[end:]) == typeA {
		address = v4
	}
	answer := append([]byte{}, question...)
	copy(answer[2:], []byte{0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0}) // one question, one answer
	answer = append(answer, 0xc0, header)                        // the name is above
	answer = append(answer, question[end:]...)
	answer = append(answer, 0, 0, 0, 60, 0, byte(len(address))) // seconds to live, length
	answer = append(answer, address...)
	_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)) // in one piece
}
