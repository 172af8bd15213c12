package loop

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// outcome is what Dial reports.
type outcome struct {
	calls int
	conn  *Conn
	err   error
}

func (o *outcome) done(c *Conn, err error) { o.calls, o.conn, o.err = o.calls+1, c, err }

func (o *outcome) reported() bool { return o.calls > 0 }

// dialRig is a rig whose loop has settings for dialled connections.
func dialRig(t *testing.T) *rig {
	r := newRig(t)
	r.loop.settings = &r.settings
	return r
}

func TestDialConnects(t *testing.T) {
	for network, address := range map[string]string{
		"tcp": "127.0.0.1:0", "tcp4": "127.0.0.1:0", "tcp6": "[::1]:0",
		"unix": filepath.Join(t.TempDir(), "socket"),
	} {
		t.Run(network, func(t *testing.T) {
			r := dialRig(t)
			_, addr := r.listen(network, address, r.service(r.loop, hello{}))
			p := &script{}
			var o outcome
			r.loop.Dial(network, addr.String(), p, time.Minute, func(c *Conn, err error) {
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
			if n := len(r.loop.table.sources()); n != 3 { // both ends, and the listener
				t.Errorf("%d registrations, want 3", n)
			}
		})
	}
}

func TestDialRefused(t *testing.T) {
	fds, addr, err := Listen("tcp4", "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	closeFD(fds[0])
	for network, address := range map[string]string{
		"tcp":  addr.String(),
		"unix": filepath.Join(t.TempDir(), "nobody"),
	} {
		r := dialRig(t)
		before := openDescriptors()
		p := &script{}
		var o outcome
		r.loop.Dial(network, address, p, time.Minute, o.done)
		r.until("the failure is reported", o.reported)
		r.settled()
		if !errors.Is(o.err, unix.ECONNREFUSED) && !errors.Is(o.err, unix.ENOENT) || o.conn != nil || o.calls != 1 {
			t.Errorf("%s: outcome %+v, want one refusal", network, o)
		}
		p.expect(t)
		if after := openDescriptors(); after != before || len(r.loop.table.sources()) != 0 {
			t.Errorf("%s: %d descriptors, %d before; %d registrations", network, after, before, len(r.loop.table.sources()))
		}
	}
}

func TestDialBadAddress(t *testing.T) {
	for _, c := range []struct{ network, address string }{
		{"udp", "127.0.0.1:1"}, {"tcp", "no port"}, {"tcp", "127.0.0.1:no-such-service"},
	} {
		r := dialRig(t)
		var o outcome
		r.loop.Dial(c.network, c.address, &script{}, time.Minute, o.done)
		r.until("the failure is reported", o.reported)
		if o.err == nil || o.conn != nil {
			t.Errorf("%s %s: outcome %+v, want an error", c.network, c.address, o)
		}
	}
}

func TestDialTimesOut(t *testing.T) {
	r := dialRig(t)
	addr := fullListener(t)
	var o outcome
	r.loop.Dial("tcp4", addr.String(), &script{}, time.Minute, o.done)
	r.until("the attempt is under way", func() bool {
		for _, s := range r.loop.table.sources() {
			if d, ok := s.(*dialing); ok && d.fd >= 0 {
				return true
			}
		}
		return false
	})
	r.pass(time.Minute - 1)
	if o.reported() {
		t.Fatalf("outcome %+v before the time was up", o)
	}
	r.pass(time.Millisecond)
	if o.calls != 1 || !errors.Is(o.err, os.ErrDeadlineExceeded) {
		t.Errorf("outcome %+v, want a timeout", o)
	}
	r.settled()
	if n := len(r.loop.table.sources()); n != 0 {
		t.Errorf("%d registrations left", n)
	}
}

// fullListener is an address whose queue is full: nobody gets an answer there.
func fullListener(t *testing.T) net.Addr {
	t.Helper()
	fds, addr, err := Listen("tcp4", "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	listener := adoptSocket(t, fds[0])
	listener.must("listen", unix.Listen(listener.fd, 0))
	for range 8 {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		client := adoptSocket(t, fd)
		err = unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: addr.(*net.TCPAddr).Port})
		if err != nil && err != unix.EINPROGRESS {
			client.must("connect", err)
		}
	}
	return addr
}

// Whoever dials is told, though the loop ends: while a name is looked up, or an
// attempt is under way.
func TestDialWhileTheLoopEnds(t *testing.T) {
	for name, cycles := range map[string]int{"at once": 0, "later": 3} {
		r := dialRig(t)
		addr := fullListener(t)
		var o outcome
		r.loop.Dial("tcp4", addr.String(), &script{}, time.Minute, o.done)
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
	r := dialRig(t)
	r.loop.limit = NewLimit(0, 0)
	fds, addr, err := Listen("tcp4", "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	adoptSocket(t, fds[0])
	var o outcome
	r.loop.Dial("tcp4", addr.String(), &script{}, time.Minute, o.done)
	r.until("the failure is reported", o.reported)
	if !errors.Is(o.err, errMaxConns) {
		t.Errorf("outcome %+v, want the limit", o)
	}
	if n := r.loop.limit.served.taken.Load(); n != 0 {
		t.Errorf("%d connections counted", n)
	}
}
