//go:build linux

package unix

import (
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const patience = 10 * time.Second // bounds every wait; a passing test never reaches it

// as makes the model behave as another system during the test.
func as(t *testing.T, name string) {
	before := system
	system = systems[name]
	t.Cleanup(func() { system = before })
}

func newKqueue(t *testing.T) int {
	t.Helper()
	kq, err := Kqueue()
	must(t, err)
	t.Cleanup(func() { must(t, Close(kq)) })
	return kq
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// change is one entry of a change list.
func change(fd, filter, flags int) Kevent_t {
	var k Kevent_t
	SetKevent(&k, fd, filter, flags)
	return k
}

// lowat is a change that adds EVFILT_READ with NOTE_LOWAT.
func lowat(fd int, data int64, flags int) Kevent_t {
	k := change(fd, EVFILT_READ, EV_ADD|flags)
	k.Fflags, k.Data = NOTE_LOWAT, data
	return k
}

// apply makes changes that must not fail.
func apply(t *testing.T, kq int, changes ...Kevent_t) {
	t.Helper()
	_, err := Kevent(kq, changes, nil, nil)
	must(t, err)
}

// fails makes a change that must fail.
func fails(t *testing.T, kq int, k Kevent_t, want error) {
	t.Helper()
	if _, err := Kevent(kq, []Kevent_t{k}, nil, nil); err != want {
		t.Errorf("change %+v: %v, want %v", k, err, want)
	}
}

// now returns the active events, without waiting.
func now(t *testing.T, kq int) []Kevent_t {
	t.Helper()
	events := make([]Kevent_t, 16)
	n, err := Kevent(kq, nil, events, &unix.Timespec{})
	must(t, err)
	return events[:n]
}

// one waits for exactly one event.
func one(t *testing.T, kq int) Kevent_t {
	t.Helper()
	events := make([]Kevent_t, 16)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		n, err := Kevent(kq, nil, events, &unix.Timespec{Sec: 1})
		if err == unix.EINTR || n == 0 && err == nil {
			continue
		}
		must(t, err)
		if n != 1 {
			t.Fatalf("events %+v, want one", events[:n])
		}
		return events[0]
	}
	t.Fatal("no event")
	return Kevent_t{}
}

func none(t *testing.T, kq int) {
	t.Helper()
	for range 3 {
		if events := now(t, kq); len(events) != 0 {
			t.Fatalf("events %+v, want none", events)
		}
	}
}

// pair returns two connected stream sockets.
func pair(t *testing.T) (a, b int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	return closedAtEnd(t, fds[0]), closedAtEnd(t, fds[1])
}

// closedAtEnd closes fd at the end of the test, if the test does not.
func closedAtEnd(t *testing.T, fd int) int {
	t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

func listener(t *testing.T) (fd int, address unix.Sockaddr) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	closedAtEnd(t, fd)
	must(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(t, unix.Listen(fd, 8))
	address, err = unix.Getsockname(fd)
	must(t, err)
	return fd, address
}

// connect starts a non-blocking connect.
func connect(t *testing.T, address unix.Sockaddr) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	closedAtEnd(t, fd)
	if err := unix.Connect(fd, address); err != nil && err != unix.EINPROGRESS {
		t.Fatal(err)
	}
	return fd
}

func tcpPair(t *testing.T) (a, b int) {
	t.Helper()
	fd, address := listener(t)
	b = connect(t, address)
	must(t, pollFor(fd, unix.POLLIN))
	a, _, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	must(t, err)
	return closedAtEnd(t, a), b
}

// pollFor waits with poll(2) for the effects of the other end's calls.
func pollFor(fd int, events int16) error {
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		if _, err := unix.Poll(fds, int(patience.Milliseconds())); err != unix.EINTR {
			return err
		}
	}
}

func write(t *testing.T, fd int, text string) {
	t.Helper()
	_, err := unix.Write(fd, []byte(text))
	must(t, err)
}

func read(t *testing.T, fd, n int) {
	t.Helper()
	if got, err := unix.Read(fd, make([]byte, n)); err != nil || got != n {
		t.Fatalf("read: %d, %v, want %d", got, err, n)
	}
}

// fill writes until EAGAIN, and returns the number of bytes.
func fill(t *testing.T, fd int) (total int) {
	t.Helper()
	for {
		n, err := unix.Write(fd, make([]byte, 1<<16))
		if err == unix.EAGAIN {
			return total
		}
		must(t, err)
		total += n
	}
}

// drain reads total bytes.
func drain(t *testing.T, fd, total int) {
	t.Helper()
	for total > 0 {
		n, err := unix.Read(fd, make([]byte, 1<<16))
		must(t, err)
		total -= n
	}
}

func reset(t *testing.T, fd int) {
	t.Helper()
	must(t, unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
	must(t, unix.Close(fd))
}

// idents are the descriptors of events, sorted.
func idents(events []Kevent_t) (fds []int) {
	for _, k := range events {
		fds = append(fds, int(k.Ident))
	}
	slices.Sort(fds)
	return fds
}
