//go:build linux

package unix

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestEndIsReportedBeforeAndAfterTheDataIsRead(t *testing.T) {
	for name, pair := range map[string]func(*testing.T) (int, int){"unix": pair, "tcp": tcpPair} {
		t.Run(name, func(t *testing.T) {
			kq := newKqueue(t)
			a, b := pair(t)
			apply(t, kq, change(a, EVFILT_READ, EV_ADD))
			write(t, b, "bye")
			must(t, unix.Shutdown(b, unix.SHUT_WR))
			must(t, pollFor(a, unix.POLLRDHUP))
			if k := one(t, kq); k.Flags != EV_EOF || k.Data != 3 || k.Fflags != 0 {
				t.Errorf("%+v", k)
			}
			read(t, a, 3)
			if k := one(t, kq); k.Flags != EV_EOF || k.Data != 0 || k.Fflags != 0 {
				t.Errorf("%+v", k)
			}
		})
	}
}

// The error is in fflags until a call has returned it; EV_EOF stays.
func TestResetIsAnEndWithAnError(t *testing.T) {
	kq := newKqueue(t)
	a, b := tcpPair(t)
	apply(t, kq, change(a, EVFILT_READ, EV_ADD))
	reset(t, b)
	for range 2 {
		if k := one(t, kq); k.Flags != EV_EOF || k.Fflags == 0 {
			t.Errorf("%+v", k)
		}
	}
	apply(t, kq, change(a, EVFILT_WRITE, EV_ADD), change(a, EVFILT_READ, EV_DELETE))
	if k := one(t, kq); k.Filter != EVFILT_WRITE || k.Flags != EV_EOF || k.Fflags == 0 {
		t.Errorf("%+v", k)
	}
	if _, err := unix.Read(a, make([]byte, 1)); err != unix.ECONNRESET {
		t.Fatalf("read: %v, want ECONNRESET", err)
	}
	if k := one(t, kq); k.Flags != EV_EOF || k.Fflags != 0 {
		t.Errorf("%+v", k)
	}
}

func TestLowWaterAppliesToDataButNotToTheEnd(t *testing.T) {
	kq := newKqueue(t)
	a, b := tcpPair(t)
	apply(t, kq, lowat(a, 4, 0))
	write(t, b, "123")
	must(t, pollFor(a, unix.POLLIN))
	none(t, kq)
	write(t, b, "4")
	one(t, kq)
	read(t, a, 4)
	none(t, kq)
	must(t, unix.Shutdown(b, unix.SHUT_WR))
	if k := one(t, kq); k.Flags != EV_EOF {
		t.Errorf("%+v", k)
	}
}

func TestLowWaterIsCappedOnDarwinOnly(t *testing.T) {
	for _, test := range []struct {
		name string
		ends bool
	}{{"darwin", true}, {"freebsd", false}} {
		t.Run(test.name, func(t *testing.T) {
			as(t, test.name)
			kq := newKqueue(t)
			a, b := pair(t)
			apply(t, kq, lowat(a, 1<<31-1, EV_CLEAR))
			write(t, b, "some")
			none(t, kq)
			must(t, unix.SetsockoptInt(b, unix.SOL_SOCKET, unix.SO_SNDBUF, 1<<20))
			fill(t, b)
			if !test.ends {
				none(t, kq)
				return
			}
			one(t, kq)
		})
	}
}

func TestListener(t *testing.T) {
	kq := newKqueue(t)
	fd, address := listener(t)
	apply(t, kq, lowat(fd, 100, 0), change(fd, EVFILT_WRITE, EV_ADD))
	none(t, kq)
	connect(t, address)
	for range 2 { // NOTE_LOWAT does not apply
		if k := one(t, kq); k.Filter != EVFILT_READ || k.Data != 1 || k.Flags != 0 {
			t.Errorf("%+v", k)
		}
	}
	conn, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
	must(t, err)
	closedAtEnd(t, conn)
	none(t, kq)
}

func TestConnect(t *testing.T) {
	kq := newKqueue(t)
	fd, address := listener(t)
	client := connect(t, address)
	apply(t, kq, change(client, EVFILT_WRITE, EV_ADD), change(client, EVFILT_READ, EV_ADD))
	if k := one(t, kq); k.Filter != EVFILT_WRITE || k.Flags != 0 {
		t.Errorf("%+v", k)
	}
	must(t, unix.Close(fd)) // resets connections in the accept queue
	must(t, pollFor(client, unix.POLLRDHUP))
	events := now(t, kq)
	if len(events) != 2 || events[0].Fflags == 0 || events[1].Fflags == 0 {
		t.Errorf("%+v, want both filters with the error", events)
	}
}

func TestRefusedConnect(t *testing.T) {
	kq := newKqueue(t)
	fd, address := listener(t)
	must(t, unix.Close(fd))
	client := connect(t, address)
	apply(t, kq, change(client, EVFILT_WRITE, EV_ADD))
	if k := one(t, kq); k.Flags != EV_EOF || k.Fflags == 0 {
		t.Errorf("%+v", k)
	}
}

func TestWriteNoteWaitsForBufferSpace(t *testing.T) {
	kq := newKqueue(t)
	a, b := pair(t)
	apply(t, kq, change(a, EVFILT_WRITE, EV_ADD))
	one(t, kq)
	filled := fill(t, a)
	none(t, kq)
	drain(t, b, filled)
	one(t, kq)
}

func TestPipe(t *testing.T) {
	kq := newKqueue(t)
	var ends [2]int
	must(t, unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK))
	closedAtEnd(t, ends[0])
	closedAtEnd(t, ends[1])
	apply(t, kq, change(ends[0], EVFILT_READ, EV_ADD))
	none(t, kq)
	write(t, ends[1], "ab")
	for range 2 {
		if k := one(t, kq); k.Data != 2 || k.Flags != 0 {
			t.Errorf("%+v", k)
		}
	}
	read(t, ends[0], 2)
	none(t, kq)
	must(t, unix.Close(ends[1]))
	if k := one(t, kq); k.Flags != EV_EOF {
		t.Errorf("%+v", k)
	}
}

func TestOptionsUnknownToASystem(t *testing.T) {
	fd, _ := listener(t)
	for name, known := range map[string]bool{
		"darwin": false, "dragonfly": false, "openbsd": false, "freebsd": true, "netbsd": true,
	} {
		as(t, name)
		accepts, err := GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		if known && (accepts != 1 || err != nil) || !known && err != unix.ENOPROTOOPT {
			t.Errorf("%s: SO_ACCEPTCONN %d, %v", name, accepts, err)
		}
		if kind, err := GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE); kind != unix.SOCK_STREAM || err != nil {
			t.Errorf("%s: SO_TYPE %d, %v", name, kind, err)
		}
	}
}
