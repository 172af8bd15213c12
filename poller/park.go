//go:build linux

package poller

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// parking is the epoll descriptor as Go's own poller sees it: a file that can be read
// when an event is ready. It is open from the first Park to the next Wait that blocks,
// since each event of a registered descriptor also wakes a thread that polls for Go.
type parking struct {
	file *os.File // a duplicate of epfd
	conn syscall.RawConn
	due  time.Time          // the file's read deadline; zero without one
	poll func(uintptr) bool // polls without blocking, into n and err
	n    int
	err  error
}

// Park waits as Wait does, but as goroutines wait for their sockets; see the contract in
// poller.go. Where that is impossible, or without a descriptor to spare, it is Wait.
func (p *Poller) Park(timeout time.Duration) ([]Event, error) {
	if timeout == 0 || p.parking == nil && !p.park() {
		return p.Wait(timeout)
	}
	k := p.parking
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

// park registers a duplicate of epfd with Go's poller, and reports whether it could.
func (p *Poller) park() bool {
	if p.neverParks {
		return false
	}
	fd, err := unix.FcntlInt(uintptr(p.epfd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return false // another time, perhaps
	}
	_ = unix.SetNonblock(fd, true) // or os.NewFile does not register it
	k := &parking{file: os.NewFile(uintptr(fd), "epoll")}
	k.conn, err = k.file.SyscallConn()
	if err != nil || k.setDeadline(time.Time{}) != nil { // not registered
		k.file.Close()
		p.neverParks = true
		return false
	}
	k.poll = func(uintptr) bool {
		k.n, k.err = p.wait(0)
		return k.n != 0 || k.err != nil
	}
	p.parking = k
	return true
}

// unpark removes the registration.
func (p *Poller) unpark() error {
	if p.parking == nil {
		return nil
	}
	err := p.parking.file.Close()
	p.parking = nil
	return err
}

// expireIn makes the read deadline expire in timeout at the latest. A deadline that is
// earlier stays: a wait that ends too early costs less than a timer for each wait.
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
