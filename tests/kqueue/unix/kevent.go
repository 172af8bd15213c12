//go:build linux

package unix

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Kevent_t is FreeBSD's struct kevent.
type Kevent_t struct {
	Ident  uint64
	Filter int16
	Flags  uint16
	Fflags uint32
	Data   int64
	Udata  *byte
}

// The constants of sys/event.h. Their values are FreeBSD's.
const (
	EVFILT_READ  = -1
	EVFILT_WRITE = -2
	EVFILT_USER  = -11

	EV_ADD    = 0x1
	EV_DELETE = 0x2
	EV_CLEAR  = 0x20
	EV_ERROR  = 0x4000
	EV_EOF    = 0x8000

	NOTE_LOWAT   = 0x1
	NOTE_TRIGGER = 0x1000000
)

// SetKevent sets the fields common to all kevents.
func SetKevent(k *Kevent_t, fd, mode, flags int) {
	k.Ident = uint64(fd)
	k.Filter = int16(mode)
	k.Flags = uint16(flags)
}

// queues are the open queues, by descriptor.
var queues sync.Map // int to *queue

// Kqueue opens a queue. It uses three descriptors instead of one.
func Kqueue() (int, error) {
	q, err := newQueue()
	if err != nil {
		return -1, err
	}
	queues.Store(q.fd, q)
	return q.fd, nil
}

// Close closes a descriptor. It closes a queue with all its descriptors.
func Close(fd int) error {
	if q, ok := queues.LoadAndDelete(fd); ok {
		q.(*queue).closeSets()
	}
	return unix.Close(fd)
}

// Kevent applies the changes, then waits for events if len(events) > 0. Any goroutine may
// call it, even while another one waits.
func Kevent(kq int, changes, events []Kevent_t, timeout *unix.Timespec) (int, error) {
	found, ok := queues.Load(kq)
	if !ok {
		return -1, unix.EBADF
	}
	q := found.(*queue)
	if n, err := q.apply(changes, events); n > 0 || err != nil {
		return n, err
	}
	if len(events) == 0 {
		return 0, nil
	}
	if timeout == nil {
		return q.wait(events, time.Time{}, false)
	}
	if timeout.Sec < 0 || timeout.Nsec < 0 || timeout.Nsec >= 1e9 || system.limitsTimeouts && timeout.Sec > mostSeconds {
		return -1, unix.EINVAL
	}
	return q.wait(events, time.Now().Add(time.Duration(timeout.Nano())), true)
}
