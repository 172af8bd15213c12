//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package poller

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Poller is the kqueue(2) backend.
//
// A registration has an EVFILT_WRITE filter while it is Writable, and always an EVFILT_READ filter,
// which also reports failures. With Readable, that is level-triggered. Without, it only detects the
// end of input: NOTE_LOWAT suppresses events for data, and EV_CLEAR makes it edge-triggered. A
// level-triggered one would report in every Wait, against the interest, an end of input, a full
// receive buffer on darwin (whose kernel lowers NOTE_LOWAT to its size), and the queue of a
// listener. The filter is armed again when it reports an end, which makes that event
// level-triggered for the owner.
//
// The table maps descriptors to tokens: udata is a pointer on most systems, in which a token would
// break the rules of the garbage collector. The lookup cannot find the next owner of a reused
// number: closing a descriptor removes its filters, and Wait translates all kevents of a batch
// before its goroutine can close or Add a descriptor.
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
	interest Interest // as last applied without an error
	event    int      // index in events of this registration's last Event
}

// Open returns a poller without registrations. It uses up to three descriptors until Close.
func Open() (*Poller, error) {
	syscall.ForkLock.RLock() // prevents a fork between kqueue and CloseOnExec
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

// Wait returns the ready registrations; see the contract in poller.go.
func (p *Poller) Wait(timeout time.Duration) ([]Event, error) {
	var limit *unix.Timespec
	if timeout >= 0 {
		// Some kernels return EINVAL for a timeout of years. A caller that returns after the
		// limited time finds its timer not due.
		ts := unix.NsecToTimespec(int64(min(timeout, 24*time.Hour)))
		limit = &ts
	}
	n, err := unix.Kevent(p.kq, nil, p.raw[:], limit)
	if err == unix.EINTR {
		return nil, nil // a signal: the caller checks its clock and waits again
	}
	if err != nil {
		return nil, os.NewSyscallError("kevent", err)
	}
	events := p.events[:0]
	for i := range p.raw[:n] {
		if k := &p.raw[i]; !p.consumeWake(k) {
			events = p.merge(events, k)
		}
	}
	return events, nil
}

// Park is Wait: parking is not implemented for kqueue(2).
func (p *Poller) Park(timeout time.Duration) ([]Event, error) { return p.Wait(timeout) }

// merge adds a kevent to the registration's Event in this batch: that at its index, unless another
// token there says that the index is of an earlier batch.
func (p *Poller) merge(events []Event, k *unix.Kevent_t) []Event {
	r := &p.table[k.Ident]
	ready := r.ready(k)
	if ready == 0 {
		return events
	}
	if k.Filter == unix.EVFILT_READ && r.interest&Readable == 0 {
		// Armed again. An error is ignored: it may mean that the descriptor was closed meanwhile,
		// and otherwise this event is reported only once.
		_ = p.addRead(int(k.Ident), r.interest)
	}
	if r.event < len(events) && events[r.event].Token == r.token {
		events[r.event].Ready |= ready
		return events
	}
	r.event = len(events)
	return append(events, Event{Token: r.token, Ready: ready})
}

// ready translates a kevent. With EV_EOF, fflags is the error of the socket, if any.
func (r *registration) ready(k *unix.Kevent_t) Ready {
	var ready Ready
	end := k.Flags&unix.EV_EOF != 0
	switch {
	case k.Filter == unix.EVFILT_WRITE:
		ready = Write // with EV_EOF, the next write returns EPIPE
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
