//go:build linux

package poller

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Poller is the epoll(7) backend. The kernel reports ended and failed connections as follows, which
// the tests verify (tcp(7), unix(7)):
//
//	peer shut its output     IN|RDHUP            nothing under a zero interest
//	both outputs are shut    IN|RDHUP|HUP        HUP under every interest
//	unix socket, peer closed IN|RDHUP|HUP        likewise
//	reset by the peer        IN|RDHUP|HUP|ERR    HUP|ERR under every interest
//	connect refused          IN|OUT|RDHUP|HUP|ERR
//
// After a read or write has returned the error, HUP remains without ERR. ERR also reports the error
// queue (MSG_ERRQUEUE) of sockets with that option, which the engine never sets.
type Poller struct {
	epfd    int
	wakefd  int
	spare   int     // a duplicate of epfd, for parking; -1 while that has it
	one     [8]byte // written by Wake; constant after Open
	raw     [MaxEvents]unix.EpollEvent
	events  [MaxEvents]Event
	parking parking
}

// Open returns a poller without registrations. It uses three descriptors until Close.
func Open() (*Poller, error) {
	p := &Poller{wakefd: -1, spare: -1}
	binary.NativeEndian.PutUint64(p.one[:], 1)
	p.parking.poll = func(uintptr) bool {
		p.parking.n, p.parking.err = p.wait(0)
		return p.parking.n != 0 || p.parking.err != nil
	}
	var err error
	if p.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := p.prepare(); err != nil {
		_ = p.Close() // the first error matters
		return nil, err
	}
	return p, nil
}

// prepare opens the other descriptors.
func (p *Poller) prepare() (err error) {
	if p.wakefd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	// With EPOLLET, every write to an eventfd is an event even while its counter is unread. The
	// counter is never read: a wake-up costs one write.
	if err := p.control(unix.EPOLL_CTL_ADD, p.wakefd, wakeToken, unix.EPOLLIN|unix.EPOLLET); err != nil {
		return err
	}
	if err := unix.SetNonblock(p.epfd, true); err != nil { // or os.NewFile does not register it
		return os.NewSyscallError("fcntl", err)
	}
	return p.openSpare()
}

// Add registers fd; see the contract in poller.go.
func (p *Poller) Add(fd int, token Token, interest Interest) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, token, epollEvents(interest))
}

// Set replaces the interest of a registered fd.
func (p *Poller) Set(fd int, token Token, interest Interest) error {
	return p.control(unix.EPOLL_CTL_MOD, fd, token, epollEvents(interest))
}

// Delete ends the registration of an open fd.
func (p *Poller) Delete(fd int) error {
	return p.control(unix.EPOLL_CTL_DEL, fd, 0, 0)
}

// control stores the token in the 64 bits of epoll_data, which x/sys splits into Fd and Pad.
func (p *Poller) control(op, fd int, token Token, events uint32) error {
	event := unix.EpollEvent{
		Events: events,
		Fd:     int32(token.Slot()),
		Pad:    int32(token.Generation()),
	}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.epfd, op, fd, &event))
}

// Wait returns the ready registrations; see the contract in poller.go.
func (p *Poller) Wait(timeout time.Duration) ([]Event, error) {
	if timeout != 0 && p.parking.file != nil {
		p.unpark()
	}
	return p.ready(p.wait(milliseconds(timeout)))
}

func (p *Poller) ready(n int, err error) ([]Event, error) {
	if err == unix.EINTR {
		return nil, nil // a signal: the caller checks its clock and waits again
	}
	if err != nil {
		return nil, os.NewSyscallError("epoll_wait", err)
	}
	events := p.events[:0]
	for i := range p.raw[:n] {
		raw := &p.raw[i]
		token := NewToken(uint32(raw.Fd), uint32(raw.Pad))
		if token == wakeToken {
			continue
		}
		events = append(events, Event{Token: token, Ready: epollReady(raw.Events)})
	}
	return events, nil
}

func (p *Poller) wait(timeout int) (int, error) {
	if timeout != 0 {
		// The call may block: an ordinary system call lets the scheduler reuse the processor.
		return unix.EpollWait(p.epfd, p.raw[:], timeout)
	}
	// The call returns at once: notifying the scheduler would cost more than it saves.
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epfd),
		uintptr(unsafe.Pointer(&p.raw[0])), MaxEvents, 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// Wake makes Wait return; see the contract. A counter full after 2^64-2 calls is an error, EAGAIN.
func (p *Poller) Wake() error {
	_, err := unix.Write(p.wakefd, p.one[:])
	return os.NewSyscallError("write", err)
}

// Close releases the poller's descriptors.
func (p *Poller) Close() error {
	if p.parking.file != nil {
		p.unpark()
	}
	var errs []error
	for _, fd := range []int{p.spare, p.wakefd, p.epfd} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	return os.NewSyscallError("close", errors.Join(errs...))
}

// milliseconds rounds up: a timer never fires early. The limit of 24 days fits the int of
// epoll_wait(2); a caller that returns then finds its timer not due.
func milliseconds(timeout time.Duration) int {
	if timeout < 0 {
		return -1
	}
	ms := timeout / time.Millisecond
	if timeout%time.Millisecond != 0 {
		ms++
	}
	return int(min(ms, math.MaxInt32))
}

func epollEvents(interest Interest) uint32 {
	var events uint32
	if interest&Readable != 0 {
		events |= unix.EPOLLIN | unix.EPOLLRDHUP
	}
	if interest&Writable != 0 {
		events |= unix.EPOLLOUT
	}
	if interest&Hangup != 0 {
		events |= unix.EPOLLRDHUP
	}
	return events // HUP and ERR are always reported
}

func epollReady(events uint32) Ready {
	var ready Ready
	if events&unix.EPOLLIN != 0 {
		ready |= Read
	}
	if events&unix.EPOLLOUT != 0 {
		ready |= Write
	}
	if events&unix.EPOLLRDHUP != 0 {
		ready |= ReadClosed
	}
	if events&unix.EPOLLHUP != 0 {
		// Both directions are shut: reads return the remaining bytes, then the end. Write is not
		// set: OUT is reported separately under a Writable interest.
		ready |= Read | ReadClosed
	}
	if events&unix.EPOLLERR != 0 {
		ready |= Failed
	}
	return ready
}
