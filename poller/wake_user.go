//go:build darwin || dragonfly || freebsd

package poller

import (
	"os"

	"golang.org/x/sys/unix"
)

// waker is the change that triggers the EVFILT_USER event. It is constant after openWaker.
type waker [1]unix.Kevent_t

func (p *Poller) openWaker() error {
	// EV_CLEAR: reporting the event resets the trigger.
	if err := p.change(0, unix.EVFILT_USER, unix.EV_ADD|unix.EV_CLEAR); err != nil {
		return err
	}
	unix.SetKevent(&p.waker[0], 0, unix.EVFILT_USER, 0)
	p.waker[0].Fflags = unix.NOTE_TRIGGER
	return nil
}

// Wake makes Wait return. Any goroutine may call it.
func (p *Poller) Wake() error {
	_, err := unix.Kevent(p.kq, p.waker[:], nil, nil)
	if err == unix.EINTR {
		return nil // kqueue(2): the change has been applied
	}
	return os.NewSyscallError("kevent", err)
}

func (p *Poller) consumeWake(k *unix.Kevent_t) bool { return k.Filter == unix.EVFILT_USER }

func (p *Poller) closeWaker() error { return nil } // closed with the kqueue
