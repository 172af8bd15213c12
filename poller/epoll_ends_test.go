//go:build linux

package poller_test

import (
	"testing"
	"time"

	"github.com/eddynet/eddy/poller"
	"golang.org/x/sys/unix"
)

// The table in the comment of Poller: the events of an ended connection under the
// full and the zero interest, and their translation.
func TestEpollEventsOfEndedConnections(t *testing.T) {
	const (
		in, out, rdhup = unix.EPOLLIN, unix.EPOLLOUT, unix.EPOLLRDHUP
		hup, err       = unix.EPOLLHUP, unix.EPOLLERR
		ended          = poller.Read | poller.ReadClosed
	)
	for _, test := range []struct {
		name                string
		end                 func(t *testing.T) *socket
		everything, nothing uint32
		ready               poller.Ready // under a zero interest
	}{
		{"peer shut its output", peerShut, in | out | rdhup, 0, 0},
		{"both outputs are shut", bothShut, in | out | rdhup | hup, hup, ended},
		{"unix socket, peer closed", unixPeerClosed, in | out | rdhup | hup, hup, ended},
		{"unix socket, peer closed without reading", unixPeerReset, in | out | rdhup | hup | err, hup | err, ended | poller.Failed},
		{"reset by the peer", peerReset, in | out | rdhup | hup | err, hup | err, ended | poller.Failed},
		{"reset, and the failure has been read", peerResetSeen, in | out | rdhup | hup, hup, ended},
		{"connect refused", connectRefused, in | out | rdhup | hup | err, hup | err, ended | poller.Failed},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.end(t)
			expectEpoll(t, s, in|out|rdhup, test.everything)
			expectEpoll(t, s, 0, test.nothing)
			p := open(t)
			add(t, p, s, token, 0)
			if got := readyNow(t, p, token); got != test.ready {
				t.Errorf("ready %b, want %b", got, test.ready)
			}
		})
	}
}

// expectEpoll waits until epoll_wait(2) reports want for s.
func expectEpoll(t *testing.T, s *socket, asked, want uint32) {
	t.Helper()
	epfd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(epfd)
	s.must(unix.EpollCtl(epfd, unix.EPOLL_CTL_ADD, s.fd, &unix.EpollEvent{Events: asked}))
	var got uint32
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		raw := make([]unix.EpollEvent, 1)
		if _, err := unix.EpollWait(epfd, raw, 1); err != nil && err != unix.EINTR {
			t.Fatal(err)
		}
		if got = raw[0].Events; got == want {
			return
		}
	}
	t.Errorf("asked for %#x: events %#x, want %#x", asked, got, want)
}

func peerShut(t *testing.T) *socket {
	a, b := tcpPair(t)
	b.shutWrite()
	return a
}

func bothShut(t *testing.T) *socket {
	a, b := tcpPair(t)
	a.shutWrite()
	b.shutWrite()
	return a
}

func unixPeerClosed(t *testing.T) *socket {
	a, b := unixPair(t)
	b.close()
	return a
}

func unixPeerReset(t *testing.T) *socket {
	a, b := unixPair(t)
	a.write("unread")
	b.close()
	return a
}

func peerReset(t *testing.T) *socket {
	a, b := tcpPair(t)
	b.reset()
	return a
}

func peerResetSeen(t *testing.T) *socket {
	a := peerReset(t)
	a.awaitPoll(unix.POLLIN)
	if _, err := unix.Read(a.fd, make([]byte, 1)); err != unix.ECONNRESET {
		t.Fatalf("read: %v, want ECONNRESET", err)
	}
	return a
}

func connectRefused(t *testing.T) *socket {
	_, address := tcpBound(t)
	s := newSocket(t, unix.AF_INET)
	s.nonblock()
	if err := unix.Connect(s.fd, address); err != unix.EINPROGRESS {
		t.Fatalf("connect: %v, want EINPROGRESS", err)
	}
	s.awaitPoll(unix.POLLOUT)
	return s
}
