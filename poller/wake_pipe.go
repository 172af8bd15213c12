//go:build netbsd || openbsd

package poller

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// waker is a non-blocking pipe, for systems without EVFILT_USER in x/sys. Only Wait reads it.
type waker struct {
	reader, writer int
	one            [1]byte   // written by Wake; constant
	discard        [512]byte // read by Wait and ignored
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
		return nil // the pipe is full of wake-ups that Wait has not read yet
	}
	return os.NewSyscallError("write", err)
}

// consumeWake drains the pipe, also of bytes that arrive meanwhile, for this Wait.
func (p *Poller) consumeWake(k *unix.Kevent_t) bool {
	if int(k.Ident) != p.waker.reader {
		return false
	}
	for {
		// Any error ends the loop: EAGAIN means empty, and after another one the level-triggered
		// filter reports the remaining bytes in the next Wait.
		if n, err := unix.Read(p.waker.reader, p.waker.discard[:]); err != nil || n < len(p.waker.discard) {
			return true
		}
	}
}

func (p *Poller) closeWaker() error {
	return errors.Join(unix.Close(p.waker.reader), unix.Close(p.waker.writer))
}
