//go:build netbsd || openbsd

package poller

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// waker is a non-blocking pipe, for systems without EVFILT_USER in x/sys. Only
// the goroutine of Wait reads, any may write.
type waker struct {
	reader, writer int
	one            [1]byte   // what Wake writes; never changed
	spill          [512]byte // what Wait reads, and does not look at
}

func (p *Poller) openWaker() error {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return os.NewSyscallError("pipe2", err)
	}
	p.waker.reader, p.waker.writer = ends[0], ends[1]
	if err := p.change(ends[0], unix.EVFILT_READ, unix.EV_ADD); err != nil {
		p.closeWaker() // the error that matters is kevent's
		return err
	}
	return nil
}

// Wake makes Wait return. Any goroutine may call it.
func (p *Poller) Wake() error {
	_, err := unix.Write(p.waker.writer, p.waker.one[:])
	if err == unix.EAGAIN {
		return nil // the pipe is full of wake-ups that Wait has yet to see
	}
	return os.NewSyscallError("write", err)
}

// takeWake empties the pipe. A byte that arrives meanwhile goes with the rest:
// its Wake still finds this Wait about to return.
func (p *Poller) takeWake(k *unix.Kevent_t) bool {
	if int(k.Ident) != p.waker.reader {
		return false
	}
	for {
		// EAGAIN, it is empty, ends the loop; so would any other error, and what it
		// left would come back with the next Wait.
		if n, err := unix.Read(p.waker.reader, p.waker.spill[:]); err != nil || n < len(p.waker.spill) {
			return true
		}
	}
}

func (p *Poller) closeWaker() error {
	return errors.Join(unix.Close(p.waker.reader), unix.Close(p.waker.writer))
}
