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
		p.remove(fd, unix.EVFILT_READ) // the error that matters is the first
		return err
	}
	return nil
}

// Set replaces the interest of a registered fd, touching only what changed.
func (p *Poller) Set(fd int, token Token, interest Interest) error {
	if fd < 0 || fd >= len(p.table) {
		return os.NewSyscallError("kevent", unix.ENOENT) // as epoll_ctl(2) has it
	}
	r := &p.table[fd]
	r.token = token
	changed := r.interest ^ interest
	if changed&(Readable|Hangup) != 0 {
		// EV_ADD alone would keep a filter's EV_CLEAR as it is.
		if err := p.remove(fd, unix.EVFILT_READ); err != nil {
			return err
		}
		if err := p.addRead(fd, interest); err != nil {
			return err
		}
	}
	if changed&Writable != 0 {
		if err := p.setWrite(fd, interest); err != nil {
			return err
		}
	}
	r.interest = interest
	return nil
}

// Delete ends the registration of an open fd.
func (p *Poller) Delete(fd int) error {
	return errors.Join(p.remove(fd, unix.EVFILT_READ), p.remove(fd, unix.EVFILT_WRITE))
}

// addRead adds the read filter that fits the interest. On a watching filter that
// exists already it looks at the socket again.
func (p *Poller) addRead(fd int, interest Interest) error {
	if interest&Readable != 0 {
		return p.change(fd, unix.EVFILT_READ, unix.EV_ADD)
	}
	k := &p.scratch[0]
	*k = unix.Kevent_t{Fflags: unix.NOTE_LOWAT, Data: math.MaxInt32} // more than any buffer holds
	unix.SetKevent(k, fd, unix.EVFILT_READ, unix.EV_ADD|unix.EV_CLEAR)
	return p.submit()
}

func (p *Poller) setWrite(fd int, interest Interest) error {
	if interest&Writable != 0 {
		return p.change(fd, unix.EVFILT_WRITE, unix.EV_ADD)
	}
	return p.remove(fd, unix.EVFILT_WRITE)
}

// remove accepts ENOENT, the filter is not there: Delete does not ask whether it
// was, and a Set that failed half-way may have taken it.
func (p *Poller) remove(fd, filter int) error {
	if err := p.change(fd, filter, unix.EV_DELETE); !errors.Is(err, unix.ENOENT) {
		return err
	}
	return nil
}

func (p *Poller) change(fd, filter, flags int) error {
	p.scratch[0] = unix.Kevent_t{}
	unix.SetKevent(&p.scratch[0], fd, filter, flags)
	return p.submit()
}

// submit applies one change by itself and leaves no room for events: so its
// error is the call's own, on every system, and no wake-up is taken from Wait.
func (p *Poller) submit() error {
	_, err := unix.Kevent(p.kq, p.scratch[:], nil, nil)
	if err == unix.EINTR {
		return nil // the change has been applied, says kqueue(2)
	}
	return os.NewSyscallError("kevent", err)
}
