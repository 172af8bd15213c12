//go:build unix

package poller_test

import (
	"flag"
	"testing"
	"time"

	"github.com/eddynet/eddy/poller"
	"golang.org/x/sys/unix"
)

// parked has all tests wait by Park: go test ./poller -args -parked.
var parked = flag.Bool("parked", false, "wait by Park")

// Wrappers of the poller: every error is fatal, every wait is bounded.

// block waits by Wait, or by Park with -parked.
func block(p *poller.Poller, timeout time.Duration) ([]poller.Event, error) {
	if *parked {
		return p.Park(timeout)
	}
	return p.Wait(timeout)
}

func open(t testing.TB) *poller.Poller {
	t.Helper()
	p, err := poller.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func add(t testing.TB, p *poller.Poller, s *socket, token poller.Token, interest poller.Interest) {
	t.Helper()
	if err := p.Add(s.fd, token, interest); err != nil {
		t.Fatal(err)
	}
}

func set(t testing.TB, p *poller.Poller, s *socket, token poller.Token, interest poller.Interest) {
	t.Helper()
	if err := p.Set(s.fd, token, interest); err != nil {
		t.Fatal(err)
	}
}

func wake(t testing.TB, p *poller.Poller) {
	t.Helper()
	if err := p.Wake(); err != nil {
		t.Fatal(err)
	}
}

func wait(t testing.TB, p *poller.Poller, timeout time.Duration) []poller.Event {
	t.Helper()
	watchdog := time.AfterFunc(2*patience, func() { panic("the wait did not return") })
	defer watchdog.Stop()
	events, err := block(p, timeout)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// expect waits until the ready conditions of token are want. They may change while
// packets arrive. An event of another token is fatal.
func expect(t testing.TB, p *poller.Poller, token poller.Token, want poller.Ready) {
	t.Helper()
	awaitReady(t, p, token, want, func(got poller.Ready) bool { return got == want })
}

// expectAtLeast is like expect and accepts further conditions, which differ by platform.
func expectAtLeast(t testing.TB, p *poller.Poller, token poller.Token, want poller.Ready) {
	t.Helper()
	awaitReady(t, p, token, want, func(got poller.Ready) bool { return got&want == want })
}

func awaitReady(t testing.TB, p *poller.Poller, token poller.Token, want poller.Ready, enough func(poller.Ready) bool) {
	t.Helper()
	var last poller.Ready
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		for _, event := range wait(t, p, time.Until(deadline)) {
			if event.Token != token {
				t.Fatalf("event %+v, want token %x only", event, token)
			}
			if last = event.Ready; enough(last) {
				return
			}
		}
	}
	t.Fatalf("last ready %b, want %b", last, want)
}

// expectNothing fails on any event. The state must not be changing.
func expectNothing(t testing.TB, p *poller.Poller) {
	t.Helper()
	for range 3 {
		if events := wait(t, p, 0); len(events) != 0 {
			t.Fatalf("events %+v, want none", events)
		}
	}
}

func readyNow(t testing.TB, p *poller.Poller, token poller.Token) poller.Ready {
	t.Helper()
	events := wait(t, p, 0)
	switch {
	case len(events) == 0:
		return 0
	case len(events) > 1 || events[0].Token != token:
		t.Fatalf("events %+v, want at most one, of token %x", events, token)
	}
	return events[0].Ready
}

// expectFullWait fails if Wait returns before its timeout. A signal, such as the
// runtime's SIGURG, may end one early: all attempts must be early to fail.
func expectFullWait(t testing.TB, p *poller.Poller, timeout time.Duration) {
	t.Helper()
	expectFullWaitAfter(t, p, timeout, func() {})
}

// expectFullWaitAfter calls prepare before each attempt.
func expectFullWaitAfter(t testing.TB, p *poller.Poller, timeout time.Duration, prepare func()) {
	t.Helper()
	var elapsed time.Duration
	for range 5 {
		prepare()
		start := time.Now()
		if events := wait(t, p, timeout); len(events) != 0 {
			t.Fatalf("events %+v, want none", events)
		}
		if elapsed = time.Since(start); elapsed >= timeout {
			return
		}
	}
	t.Fatalf("Wait(%v) returned after %v", timeout, elapsed)
}

// socket is a descriptor that is closed once, at the end of the test at the latest.
type socket struct {
	t  testing.TB
	fd int
}

func adopt(t testing.TB, fd int) *socket {
	s := &socket{t: t, fd: fd}
	t.Cleanup(s.close)
	return s
}

func newSocket(t testing.TB, family int) *socket {
	t.Helper()
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	return adopt(t, fd)
}

var pairs = map[string]func(testing.TB) (a, b *socket){"tcp": tcpPair, "unix": unixPair}

func unixPair(t testing.TB) (a, b *socket) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, b = adopt(t, fds[0]), adopt(t, fds[1])
	a.nonblock()
	b.nonblock()
	return a, b
}

func tcpPair(t testing.TB) (a, b *socket) {
	t.Helper()
	listener, address := tcpListener(t)
	b = newSocket(t, unix.AF_INET)
	if err := unix.Connect(b.fd, address); err != nil {
		t.Fatal(err)
	}
	listener.awaitPoll(unix.POLLIN)
	fd, _, err := unix.Accept(listener.fd)
	if err != nil {
		t.Fatal(err)
	}
	listener.close()
	a = adopt(t, fd)
	a.nonblock()
	b.nonblock()
	return a, b
}

func tcpListener(t testing.TB) (*socket, unix.Sockaddr) {
	t.Helper()
	s, address := tcpBound(t)
	if err := unix.Listen(s.fd, 8); err != nil {
		t.Fatal(err)
	}
	s.nonblock()
	return s, address
}

func tcpBound(t testing.TB) (*socket, unix.Sockaddr) {
	t.Helper()
	s := newSocket(t, unix.AF_INET)
	if err := unix.Bind(s.fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	address, err := unix.Getsockname(s.fd)
	if err != nil {
		t.Fatal(err)
	}
	return s, address
}

func (s *socket) nonblock() {
	s.t.Helper()
	s.must(unix.SetNonblock(s.fd, true))
}

func (s *socket) write(text string) {
	s.t.Helper()
	if n, err := unix.Write(s.fd, []byte(text)); err != nil || n != len(text) {
		s.t.Fatalf("write: %d, %v", n, err)
	}
}

// fill writes until EAGAIN.
func (s *socket) fill() {
	s.t.Helper()
	chunk := make([]byte, 1<<16)
	for err := error(nil); err != unix.EAGAIN; {
		if _, err = unix.Write(s.fd, chunk); err != nil && err != unix.EAGAIN {
			s.t.Fatal(err)
		}
	}
}

// read expects n bytes to have arrived; with n 0, the end of input.
func (s *socket) read(n int) {
	s.t.Helper()
	if got, err := unix.Read(s.fd, make([]byte, max(n, 1))); err != nil || got != n {
		s.t.Fatalf("read: %d, %v, want %d", got, err, n)
	}
}

// awaitPoll waits with poll(2) for the effects of the other end's calls.
func (s *socket) awaitPoll(events int16) {
	s.t.Helper()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: events}}, int(patience.Milliseconds()))
		if err == unix.EINTR {
			continue // a signal sent by the runtime
		}
		if err != nil || n != 1 {
			s.t.Fatalf("poll: %d, %v", n, err)
		}
		return
	}
}

func (s *socket) shutWrite() {
	s.t.Helper()
	s.must(unix.Shutdown(s.fd, unix.SHUT_WR))
}

// reset closes with a reset instead of an orderly end.
func (s *socket) reset() {
	s.t.Helper()
	s.must(unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: 0}))
	s.close()
}

func (s *socket) close() {
	if s.fd < 0 {
		return
	}
	s.must(unix.Close(s.fd))
	s.fd = -1
}

func (s *socket) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// openDescriptors counts with fcntl(2), which every platform has.
func openDescriptors() (n int) {
	for fd := range uintptr(1024) {
		if _, err := unix.FcntlInt(fd, unix.F_GETFD, 0); err == nil {
			n++
		}
	}
	return n
}
