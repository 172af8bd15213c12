//go:build linux

package poller

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// parking is the epoll descriptor as Go's poller sees it: a file that can be read when an event is
// ready. It is registered there from the first Park to the next Wait that may block, since each
// event then also wakes a thread that polls for Go.
type parking struct {
	file *os.File // of the poller's spare descriptor; nil while it is not registered
	conn syscall.RawConn
	due  time.Time          // the file's read deadline; zero without one
	poll func(uintptr) bool // polls without blocking, into n and err
	n    int
	err  error
}

// Park waits as goroutines do for sockets; see the contract. Where Go's poller cannot, it is Wait.
func (p *Poller) Park(timeout time.Duration) ([]Event, error) {
	if timeout == 0 || p.parking.file == nil && !p.park() {
		return p.Wait(timeout)
	}
	k := &p.parking
	if timeout > 0 {
		k.expireIn(timeout)
	}
	err := k.conn.Read(k.poll)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		k.n, err = 0, k.setDeadline(time.Time{})
	}
	if err != nil {
		return nil, err
	}
	return p.ready(k.n, k.err)
}

// park registers the spare descriptor with Go's poller, and reports whether it could.
func (p *Poller) park() bool {
	if p.spare < 0 && p.openSpare() != nil {
		return false
	}
	k := &p.parking
	k.file, p.spare = os.NewFile(uintptr(p.spare), "epoll"), -1
	var err error
	if k.conn, err = k.file.SyscallConn(); err != nil || k.setDeadline(time.Time{}) != nil {
		p.unpark() // it is not registered
		return false
	}
	return true
}

// unpark ends the registration, which closes the descriptor, and opens a spare again: the number of
// a poller's descriptors does not depend on how it waits.
func (p *Poller) unpark() {
	_ = p.parking.file.Close() // nothing is written that could fail
	p.parking.file = nil
	_ = p.openSpare() // or later: another thread may have taken the last descriptor
}

func (p *Poller) openSpare() (err error) {
	p.spare, err = unix.FcntlInt(uintptr(p.epfd), unix.F_DUPFD_CLOEXEC, 0)
	return os.NewSyscallError("fcntl", err)
}

// expireIn makes the read deadline expire in timeout at the latest. An earlier one stays: a wait
// that ends too early costs less than a timer for each wait.
func (k *parking) expireIn(timeout time.Duration) {
	due := time.Now().Add(timeout)
	if k.due.IsZero() || due.Before(k.due) {
		_ = k.setDeadline(due) // it was set without an error in park
	}
}

func (k *parking) setDeadline(due time.Time) error {
	k.due = due
	return k.file.SetReadDeadline(due)
}
