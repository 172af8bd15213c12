package loop

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
)

// pairKind is a way to make two connected sockets.
type pairKind struct {
	name string
	make func(t testing.TB) (ours, theirs *socket)
}

var (
	unixPair = pairKind{"unix", newUnixPair}
	tcpPair  = pairKind{"tcp", newTCPPair}
)

// onBoth runs a test on both kinds of sockets.
func onBoth(t *testing.T, test func(t *testing.T, pair pairKind)) {
	for _, pair := range []pairKind{unixPair, tcpPair} {
		t.Run(pair.name, func(t *testing.T) { test(t, pair) })
	}
}

// socket is the test's end of a connection, non-blocking, and what came out of it.
type socket struct {
	t   testing.TB
	fd  int
	got []byte
	eof bool
	err error // of a read
}

func adoptSocket(t testing.TB, fd int) *socket {
	t.Helper()
	s := &socket{t: t, fd: fd}
	t.Cleanup(s.close)
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	return s
}

func newUnixPair(t testing.TB) (ours, theirs *socket) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	return adoptSocket(t, fds[0]), adoptSocket(t, fds[1])
}

func newTCPPair(t testing.TB) (ours, theirs *socket) {
	t.Helper()
	fds, addr, err := sockets.Listen(t.Context(), "tcp4", "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	listener := adoptSocket(t, fds[0])
	theirs = dial(t, addr)
	fd, _, errno := sockets.Accept(listener.fd)
	if errno != 0 {
		t.Fatalf("accept: %v", errno)
	}
	listener.close()
	return adoptSocket(t, fd), theirs
}

// release gives the descriptor away.
func (s *socket) release() int {
	fd := s.fd
	s.fd = -1
	return fd
}

func (s *socket) close() {
	if s.fd >= 0 {
		s.must("close", unix.Close(s.release()))
	}
}

func (s *socket) must(what string, err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
}

// buffers bounds what the kernel holds in both directions, in bytes, about.
func (s *socket) buffers(send, receive int) *socket {
	s.t.Helper()
	s.must("SO_SNDBUF", unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, send))
	s.must("SO_RCVBUF", unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receive))
	return s
}

// send writes text, which must fit into the kernel.
func (s *socket) send(text string) {
	s.t.Helper()
	if n, err := unix.Write(s.fd, []byte(text)); err != nil || n != len(text) {
		s.t.Fatalf("peer wrote %d of %d bytes: %v", n, len(text), err)
	}
}

// offer writes what the kernel takes of p.
func (s *socket) offer(p []byte) int {
	s.t.Helper()
	n, err := unix.Write(s.fd, p)
	if err == unix.EAGAIN {
		return 0
	}
	s.must("peer writes", err)
	return n
}

// pull reads what is there, at most max bytes.
func (s *socket) pull(max int) int {
	s.t.Helper()
	total := 0
	p := make([]byte, min(max, 64<<10))
	for total < max && !s.eof && s.err == nil {
		n, err := unix.Read(s.fd, p[:min(len(p), max-total)])
		switch {
		case err == unix.EAGAIN:
			return total
		case err == unix.EINTR:
		case err != nil:
			s.err = err
		case n == 0:
			s.eof = true
		default:
			s.got = append(s.got, p[:n]...)
			total += n
		}
	}
	return total
}

// all reads everything that is there and reports whether the end has come.
func (s *socket) all() bool {
	s.pull(1 << 30)
	return s.eof || s.err != nil
}

// has reports whether what came so far is text.
func (s *socket) has(text string) func() bool {
	return func() bool {
		s.pull(1 << 30)
		return string(s.got) == text
	}
}

func (s *socket) shutWrite() {
	s.t.Helper()
	s.must("shutdown", unix.Shutdown(s.fd, unix.SHUT_WR))
}

// reset closes with a reset instead of an orderly end. TCP only.
func (s *socket) reset() {
	s.t.Helper()
	s.must("SO_LINGER", unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
	s.close()
}

// dial connects to a listening socket of this machine. The kernel does that by
// itself, while nobody accepts.
func dial(t testing.TB, addr net.Addr) *socket {
	t.Helper()
	family, sa := unix.AF_UNIX, unix.Sockaddr(&unix.SockaddrUnix{Name: addr.String()})
	if tcp, ok := addr.(*net.TCPAddr); ok {
		if ip := tcp.IP.To4(); ip != nil {
			family, sa = unix.AF_INET, &unix.SockaddrInet4{Port: tcp.Port, Addr: [4]byte(ip)}
		} else {
			family, sa = unix.AF_INET6, &unix.SockaddrInet6{Port: tcp.Port, Addr: [16]byte(tcp.IP)}
		}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	if family != unix.AF_UNIX {
		// Packets as small as in real life: those of 64 KiB wait for their
		// acknowledgement, and the test with them.
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_MAXSEG, 1400); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Connect(fd, sa); err != nil {
		t.Fatalf("connect to %v: %v", addr, err)
	}
	return adoptSocket(t, fd)
}
