package loop

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
	"github.com/eddynet/eddy/internal/wheel"
)

// listen puts a listener on the loop, whose connections speak p there, and returns its
// address.
func (r *rig) listen(network, address string, p opener) (*acceptor, net.Addr) {
	r.t.Helper()
	return r.listenFor(network, address, p, r.loop)
}

// listenFor is listen for connections that are dispatched to loops.
func (r *rig) listenFor(network, address string, p opener, to ...*Reactor) (*acceptor, net.Addr) {
	r.t.Helper()
	fds, addr, err := sockets.Listen(r.t.Context(), network, address, 1)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, l := range to {
		l.settings = *r.settings
	}
	if _, err := r.loop.Accept(fds[0], to, underLayer(p.Open), false); err != nil {
		r.t.Fatal(err)
	}
	r.cycle()
	return r.loop.acceptors[len(r.loop.acceptors)-1], addr
}

// Close is what Accept returns to stop.
func (a *acceptor) Close() error { return a.loop.PostUnbounded(a.drain) }

// hello greets, so that a client knows it was accepted.
type hello struct{ echo }

func (h hello) Open(c *Conn) Handler {
	_, _ = c.WriteString("hello")
	return h
}

func TestAcceptOnEveryNetwork(t *testing.T) {
	for network, address := range map[string]string{
		"tcp": "127.0.0.1:0", "tcp4": "127.0.0.1:0", "tcp6": "[::1]:0",
		"unix": filepath.Join(t.TempDir(), "socket"),
	} {
		t.Run(network, func(t *testing.T) {
			r := newRig(t)
			p := &script{}
			var remote net.Addr
			p.open = func(c *Conn) {
				remote = c.RemoteAddr()
				_, _ = c.WriteString("hello")
			}
			_, addr := r.listen(network, address, p)
			client := dial(t, addr)
			r.until("the client is greeted", client.has("hello"))
			r.settled()

			sa, err := unix.Getsockname(client.fd)
			if err != nil {
				t.Fatal(err)
			}
			if want := sockets.FromSockaddr(sa).NetAddr(); network != "unix" && remote.String() != want.String() {
				t.Errorf("RemoteAddr %v, the client has %v", remote, want)
			}
			if network == "unix" && remote.Network() != "unix" {
				t.Errorf("RemoteAddr %v", remote)
			}
			c := r.loop.allConns()[0]
			if got := c.LocalAddr(); got == nil || got.String() != addr.String() {
				t.Errorf("LocalAddr %v, want %v", got, addr)
			}
			if network != "unix" {
				v, err := unix.GetsockoptInt(int(c.fd), unix.IPPROTO_TCP, unix.TCP_NODELAY)
				if err != nil || v == 0 {
					t.Errorf("TCP_NODELAY is %d, %v: small answers would wait", v, err)
				}
			}
			flags, err := unix.FcntlInt(uintptr(c.fd), unix.F_GETFL, 0)
			if err != nil || flags&unix.O_NONBLOCK == 0 {
				t.Errorf("the connection blocks: flags %x, %v", flags, err)
			}
			flags, err = unix.FcntlInt(uintptr(c.fd), unix.F_GETFD, 0)
			if err != nil || flags&unix.FD_CLOEXEC == 0 {
				t.Errorf("programs inherit the connection: flags %x, %v", flags, err)
			}
		})
	}
}

func TestSharedListenerDealsOutOverLoops(t *testing.T) {
	r := newRig(t)
	limit := newLimit(100, 0)
	loops := []*Reactor{r.loop, r.newLoop(limit), r.newLoop(limit)}
	r.loop.limit = limit
	_, addr := r.listenFor("tcp4", "127.0.0.1:0", hello{}, loops...)
	var clients []*socket
	for range 9 {
		clients = append(clients, dial(t, addr))
	}
	greeted := func() bool {
		n := 0
		for _, l := range loops[1:] {
			cycle(t, l)
		}
		for _, client := range clients {
			if client.has("hello")() {
				n++
			}
		}
		return n == len(clients)
	}
	r.until("all clients are greeted", greeted)
	for i, l := range loops {
		if l.conns != 3 {
			t.Errorf("loop %d has %d connections, want 3", i, l.conns)
		}
	}
	if n := limit.served.used.Load(); n != 9 {
		t.Errorf("%d connections counted, want 9", n)
	}
}

func TestConnectionForAnEndedLoopIsClosed(t *testing.T) {
	r := newRig(t)
	other := r.newLoop(r.loop.limit)
	_, addr := r.listenFor("tcp4", "127.0.0.1:0", hello{}, other)
	other.end()
	client := dial(t, addr)
	r.until("the client is told", client.all)
	if n := r.loop.limit.served.used.Load(); n != 0 {
		t.Errorf("%d connections counted, want 0", n)
	}
}

func TestAcceptBudget(t *testing.T) {
	r := newRig(t)
	_, addr := r.listen("tcp4", "127.0.0.1:0", hello{})
	for range acceptBudget + 20 {
		dial(t, addr)
	}
	r.cycle()
	if r.loop.conns != acceptBudget {
		t.Errorf("%d connections accepted in one cycle, want the budget of %d", r.loop.conns, acceptBudget)
	}
	r.until("the rest follows", func() bool { return r.loop.conns == acceptBudget+20 })
}

// What other processes may take, too, is left to them, but for one.
func TestSharedAcceptorTakesOneInACycle(t *testing.T) {
	r := newRig(t)
	fds, addr, err := sockets.Listen(t.Context(), "tcp4", "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.loop.Accept(fds[0], []*Reactor{r.loop}, hello{}.Open, true); err != nil {
		t.Fatal(err)
	}
	r.cycle()
	for range 5 {
		dial(t, addr)
	}
	for want := 1; want <= 5; want++ {
		r.cycle()
		if r.loop.conns != want {
			t.Errorf("%d connections after %d cycles", r.loop.conns, want)
		}
	}
}

// Beyond MaxConns clients wait in the kernel's queue, and are served when others
// have gone.
func TestMaxConns(t *testing.T) {
	r := newRig(t)
	r.loop.limit = newLimit(2, 0)
	_, addr := r.listen("tcp4", "127.0.0.1:0", hello{})
	var clients []*socket
	for range 5 {
		clients = append(clients, dial(t, addr))
	}
	r.settled() // which would not be, if the waiting ones kept it awake
	if r.loop.conns != 2 {
		t.Fatalf("%d connections, want 2", r.loop.conns)
	}
	if s := r.loop.Stats(); s.AcceptPauses != 1 || s.LimitPauses != 1 || s.AcceptErrors != 0 {
		t.Errorf("%+v, want one pause, for the limit", s)
	}
	for range 5 {
		r.pass(shortageDelay)
	}
	r.settled()
	if got := r.loop.Stats().AcceptPauses; got > 6 {
		t.Errorf("%d pauses in 5 delays", got)
	}
	if got := r.logged.count("MaxConns"); got != 1 {
		t.Errorf("%d log lines, want one in a while: %q", got, r.logged.lines)
	}
	for i, client := range clients {
		client.all()
		if greeted := string(client.got) == "hello"; greeted != (i < 2) {
			t.Errorf("client %d: got %q", i, client.got)
		}
	}
	for i, client := range clients[:3] {
		client.close()
		r.until("the next one gets its turn", func() bool {
			r.pass(shortageDelay)
			return clients[i+2].has("hello")()
		})
		if r.loop.conns > 2 {
			t.Errorf("%d connections, want 2", r.loop.conns)
		}
	}
	if n := r.loop.limit.served.used.Load(); n != int64(r.loop.conns) {
		t.Errorf("%d connections counted of %d", n, r.loop.conns)
	}
}

// Out of descriptors: the listener pauses, the loop sleeps, and who waited is
// served later. In a process of its own, whose limit is lowered.
func TestOutOfDescriptors(t *testing.T) {
	if !inChild(t) {
		return
	}
	r := newRig(t)
	_, addr := r.listen("tcp4", "127.0.0.1:0", hello{})
	var clients []*socket
	for range 8 {
		clients = append(clients, dial(t, addr))
	}

	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	free, err := unix.FcntlInt(uintptr(clients[0].fd), unix.F_DUPFD_CLOEXEC, 0) // the lowest
	if err != nil {
		t.Fatal(err)
	}
	sockets.Close(free)
	lowered := limit
	setLimit(&lowered.Cur, free+2) // there is room for two
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &lowered); err != nil {
		t.Fatal(err)
	}

	r.settled() // the loop sleeps, with 6 in the queue
	if r.loop.conns > 2 || r.loop.Stats().AcceptPauses != 1 {
		t.Fatalf("%d connections, %d pauses: want at most 2, and one pause", r.loop.conns, r.loop.Stats().AcceptPauses)
	}
	for range 10 {
		r.pass(shortageDelay)
		r.settled()
	}
	if s := r.loop.Stats(); s.AcceptPauses != 11 || s.AcceptErrors != 11 || s.LimitPauses != 0 {
		t.Errorf("%+v, want a pause after each of 10 delays, for an error", s)
	}
	if got := r.logged.count("ulimit -n"); got != 1 {
		t.Errorf("%d log lines, want one in a while: %q", got, r.logged.lines)
	}
	r.pass(shortageLogEvery)
	if got := r.logged.count("ulimit -n"); got != 2 {
		t.Errorf("%d log lines after a while, want 2", got)
	}

	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	r.pass(shortageDelay)
	for _, client := range clients {
		r.until("the client is greeted", client.has("hello"))
	}
	r.settled()
}

// setLimit sets a field whose type differs by platform.
func setLimit[T int64 | uint64](field *T, n int) { *field = T(n) }

// inChild runs the test again in a child process, and reports whether this is it.
func inChild(t *testing.T) bool {
	t.Helper()
	if os.Getenv("EDDY_TEST_CHILD") == t.Name() {
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), "EDDY_TEST_CHILD="+t.Name())
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, fmt.Appendf(nil, "--- PASS: %s", t.Name())) {
		t.Errorf("child process: %v\n%s", err, out)
	}
	return false
}

func TestClosedAcceptorServesItsQueueFirst(t *testing.T) {
	r := newRig(t)
	a, addr := r.listen("tcp4", "127.0.0.1:0", hello{})
	var clients []*socket
	for range 5 {
		clients = append(clients, dial(t, addr))
	}
	for range 2 { // twice does no harm
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, client := range clients {
		r.until("the client is greeted", client.has("hello"))
	}
	r.pass(handshakeTime + wheel.Tick)
	if conn, err := net.DialTimeout("tcp4", addr.String(), patience); err == nil {
		conn.Close()
		t.Error("a closed listener still takes connections")
	}
	r.settled()
}

func TestAcceptorClosedWhilePaused(t *testing.T) {
	r := newRig(t)
	r.loop.limit = newLimit(0, 0)
	a, addr := r.listen("tcp4", "127.0.0.1:0", hello{})
	client := dial(t, addr)
	r.until("the listener pauses", func() bool { return r.loop.count.AcceptPauses > 0 })
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	r.cycle()
	r.until("the client is greeted", client.has("hello"))
	r.pass(time.Second) // the timer that would arm it again finds it closed
	if r.logged.count("interest") != 0 {
		t.Errorf("log %q", r.logged.lines)
	}
}

// apologetic refuses connections beyond the limit.
type apologetic struct{ hello }

func (p apologetic) Open(c *Conn) Handler {
	if c.Overloaded() {
		_, _ = c.WriteString("sorry")
		c.Close()
		return p
	}
	return p.hello.Open(c)
}

// Beyond MaxConns as many as MaxRefusals are opened with that mark; the others wait.
func TestMaxRefusals(t *testing.T) {
	r := newRig(t)
	r.loop.limit = newLimit(1, 1)
	_, addr := r.listen("tcp4", "127.0.0.1:0", apologetic{})
	first := dial(t, addr)
	r.until("the first is greeted", first.has("hello"))
	second, third := dial(t, addr), dial(t, addr)
	r.until("the second is refused and closed", second.all)
	r.settled()
	if s := r.loop.Stats(); s.Refused != 1 || s.Open() != 2 {
		t.Errorf("%+v, want one served, one refused that lingers, and one that waits", s)
	}
	second.close()
	r.until("the second is gone", func() bool { return r.loop.Stats().Open() == 1 })
	r.pass(shortageDelay + 2*wheel.Tick)
	r.until("the third has its turn", third.all)
	for _, refused := range []*socket{second, third} {
		if got := string(refused.got); got != "sorry" {
			t.Errorf("got %q, want the refusal", got)
		}
	}
	first.send("!")
	r.until("the first is served", first.has("hello!"))
	// Refused connections that linger do not count as served.
	first.shutWrite()
	r.until("the first is gone", first.all)
	fourth := dial(t, addr)
	r.pass(shortageDelay + 2*wheel.Tick)
	r.until("the fourth is served", fourth.has("hello"))
	if n := r.loop.limit.served.used.Load(); n != 1 {
		t.Errorf("%d count as served, want one", n)
	}
}
