//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package poller

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// Add registers fd; see the contract in poller.go.
func (p *Poller) Add(fd int, token Token, interest Interest) error {
	if fd < 0 {
		return os.NewSyscallError("kevent", unix.EBADF)
	}
	if missing := fd + 1 - len(p.table); missing > 0 {
		p.table = append(p.table, make([]registration, missing)...)
	}
	p.table[fd] = registration{token: token, interest: interest}
	if err := p.addRead(fd, interest); err != nil {
		return err
	}
	if interest&Writable == 0 {
		return nil
	}
	if err := p.change(fd, unix.EVFILT_WRITE, unix.EV_ADD); err != nil {
		_ = p.change(fd, unix.EVFILT_READ, unix.EV_DELETE) // the error that matters is the first one
		return err
	}
	return nil
}

// Set replaces the interest of a registered fd. Only filters that differ are changed.
func (p *Poller) Set(fd int, token Token, interest Interest) error {
	if fd < 0 || fd >= len(p.table) {
		return os.NewSyscallError("kevent", unix.ENOENT) // as epoll_ctl(2) returns
	}
	r := &p.table[fd]
	r.token = token
	changed := r.interest ^ interest
	if changed&(Readable|Hangup) != 0 {
		// EV_ADD alone would leave EV_CLEAR of the existing filter unchanged.
		if err := p.change(fd, unix.EVFILT_READ, unix.EV_DELETE); err != nil {
			return err
		}
		if err := p.addRead(fd, interest); err != nil {
			return err
		}
	}
	if changed&Writable != 0 {
		flags := unix.EV_DELETE
		if interest&Writable != 0 {
			flags = unix.EV_ADD
		}
		if err := p.change(fd, unix.EVFILT_WRITE, flags); err != nil {
			return err
		}
	}
	r.interest = interest
	return nil
}

// Delete ends the registration of an open fd.
func (p *Poller) Delete(fd int) error {
	return errors.Join(p.change(fd, unix.EVFILT_READ, unix.EV_DELETE), p.change(fd, unix.EVFILT_WRITE, unix.EV_DELETE))
}

// addRead adds the read filter. If that exists, the kernel evaluates the socket's state again.
func (p *Poller) addRead(fd int, interest Interest) error {
	if interest&Readable != 0 {
		return p.change(fd, unix.EVFILT_READ, unix.EV_ADD)
	}
	notify := unix.Kevent_t{Fflags: unix.NOTE_LOWAT, Data: math.MaxInt32} // more than any buffer holds
	return p.apply(notify, fd, unix.EVFILT_READ, unix.EV_ADD|unix.EV_CLEAR)
}

func (p *Poller) change(fd, filter, flags int) error {
	return p.apply(unix.Kevent_t{}, fd, filter, flags)
}

// apply applies one change without an event list: on every system the call returns its error, and
// consumes no event of Wait. A filter to delete may be missing: Delete removes both even if one
// exists, and a Set that failed may have removed one.
func (p *Poller) apply(k unix.Kevent_t, fd, filter, flags int) error {
	p.scratch[0] = k
	unix.SetKevent(&p.scratch[0], fd, filter, flags)
	_, err := unix.Kevent(p.kq, p.scratch[:], nil, nil)
	if err == unix.EINTR || err == unix.ENOENT && flags == unix.EV_DELETE {
		return nil // kqueue(2): after EINTR, the change has been applied
	}
	return os.NewSyscallError("kevent", err)
}
