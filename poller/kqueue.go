//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package poller

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Poller is the backend on kqueue(2).
//
// A registration has an EVFILT_WRITE while it is Writable, and always an
// EVFILT_READ, which tells of failures too. With Readable that filter is
// level-triggered and plain. Without, it only watches for the end: NOTE_LOWAT
// holds data back, and EV_CLEAR makes it edge-triggered, because three things
// would otherwise come back in every Wait although nobody asked for them: an end
// of input under a zero interest, a full receive buffer on darwin (its kernel
// lowers NOTE_LOWAT to the buffer's size), and the queue of a listener. An end
// that is reported is armed again, so that to the owner it is level-triggered.
//
// The tokens stand in table, by descriptor: the kernel's udata is a pointer on
// most of these systems, and a token in a pointer would break the garbage
// collector's rules. The look-up cannot meet a number's next owner: closing a
// descriptor removes its filters, and Wait has turned all it got into tokens
// before its goroutine can close or Add anything.
type Poller struct {
	kq      int
	waker   waker
	table   []registration // by descriptor
	scratch [1]unix.Kevent_t
	raw     [MaxEvents]unix.Kevent_t
	events  [MaxEvents]Event
}

type registration struct {
	token    Token
	interest Interest // what the kernel was last told without an error
	event    int      // where the last Event of this registration was put
}

// Open returns a poller without registrations. It takes up to three
// descriptors, which Close gives back.
func Open() (*Poller, error) {
	syscall.ForkLock.RLock() // no fork may come between kqueue and CloseOnExec
	kq, err := unix.Kqueue()
	if err == nil {
		unix.CloseOnExec(kq)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, os.NewSyscallError("kqueue", err)
	}
	p := &Poller{kq: kq}
	if err := p.openWaker(); err != nil {
		unix.Close(kq) // the error that matters is the waker's
		return nil, err
	}
	return p, nil
}

// Wait returns what is ready; see the contract in poller.go.
func (p *Poller) Wait(timeout time.Duration) ([]Event, error) {
	var limit *unix.Timespec
	if timeout >= 0 {
		// Some kernels refuse years with EINVAL. A caller woken early by the cap
		// finds its timer not due.
		ts := unix.NsecToTimespec(int64(min(timeout, 24*time.Hour)))
		limit = &ts
	}
	n, err := unix.Kevent(p.kq, nil, p.raw[:], limit)
	if err == unix.EINTR {
		return nil, nil // a signal: the caller looks at its clock and waits again
	}
	if err != nil {
		return nil, os.NewSyscallError("kevent", err)
	}
	events := p.events[:0]
	for i := range p.raw[:n] {
		if k := &p.raw[i]; !p.takeWake(k) {
			events = p.merge(events, k)
		}
	}
	return events, nil
}

// merge adds one kevent to the registration's Event in this batch. Where that is
// the registration remembers; the token there tells whether it is of this batch.
func (p *Poller) merge(events []Event, k *unix.Kevent_t) []Event {
	r := &p.table[k.Ident]
	ready := r.ready(k)
	if ready == 0 {
		return events
	}
	if k.Filter == unix.EVFILT_READ && r.interest&Readable == 0 {
		// Armed again. An error is not worth losing this event for: at worst, as
		// when the descriptor was closed meanwhile, it is reported only once.
		_ = p.addRead(int(k.Ident), r.interest)
	}
	if r.event < len(events) && events[r.event].Token == r.token {
		events[r.event].Ready |= ready
		return events
	}
	r.event = len(events)
	return append(events, Event{Token: r.token, Ready: ready})
}

// ready says what a kevent means under the interest. With EV_EOF, fflags is the
// socket's error, if any.
func (r *registration) ready(k *unix.Kevent_t) Ready {
	var ready Ready
	end := k.Flags&unix.EV_EOF != 0
	switch {
	case k.Filter == unix.EVFILT_WRITE:
		ready = Write // an end too: the next write returns EPIPE
	case r.interest&Readable != 0 && end:
		ready = Read | ReadClosed
	case r.interest&Readable != 0:
		ready = Read
	case r.interest&Hangup != 0 && end:
		ready = ReadClosed
	}
	if end && k.Fflags != 0 {
		ready |= Failed
	}
	return ready
}

// Close releases the poller's descriptors.
func (p *Poller) Close() error {
	return os.NewSyscallError("close", errors.Join(p.closeWaker(), unix.Close(p.kq)))
}
