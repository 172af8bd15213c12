//go:build linux

package unix

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// queue is one kqueue. Its descriptor is an eventfd, which wakes blocked calls of Kevent.
type queue struct {
	fd   int
	sets [2]int // epoll descriptors, one per filter

	sleeps atomic.Int64

	mu     sync.Mutex
	files  []*file // by descriptor
	user   map[uint64]*note
	active []*note // in the order in which they are reported; nil where one was removed
	kept   []*note // scratch memory of scan
	count  [8]byte // scratch memory for the eventfd
	ready  [64]unix.EpollEvent
}

// note is a knote: a filter on a descriptor, or on an ident for EVFILT_USER.
type note struct {
	file       *file // nil for EVFILT_USER
	ident      uint64
	filter     int16
	generation int32 // of its epoll registration: detects events of earlier ones
	attached   bool
	clear      bool  // EV_CLEAR
	lowat      int64 // 0 without NOTE_LOWAT
	triggered  bool  // EVFILT_USER
	active     bool  // it is in queue.active
}

func newQueue() (q *queue, err error) {
	q = &queue{user: map[uint64]*note{}}
	if q.fd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, err
	}
	for i := range q.sets {
		if q.sets[i], err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
			unix.Close(q.fd)
			for _, set := range q.sets[:i] {
				unix.Close(set)
			}
			return nil, err
		}
	}
	return q, nil
}

func (q *queue) closeSets() {
	for _, set := range q.sets {
		unix.Close(set)
	}
}

// apply makes the changes. An error is returned by the call if it does not fit in events.
func (q *queue) apply(changes, events []Kevent_t) (failed int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, k := range changes {
		err := q.register(&k)
		switch {
		case err == nil:
		case failed == len(events):
			return failed, err
		default:
			k.Flags, k.Data = EV_ERROR, int64(err.(unix.Errno))
			events[failed] = k
			failed++
		}
	}
	return failed, nil
}

func (q *queue) register(k *Kevent_t) error {
	if other := k.Flags &^ (EV_ADD | EV_DELETE | EV_CLEAR); other != 0 {
		panic("kqueue: flags that are not modelled")
	}
	n, err := q.find(k)
	if err != nil {
		return err
	}
	switch {
	case !n.attached && k.Flags&EV_ADD == 0:
		return unix.ENOENT
	case !n.attached:
		if err := q.attach(n); err != nil {
			return err
		}
		n.clear = k.Flags&EV_CLEAR != 0
	case k.Flags&EV_DELETE != 0:
		q.detach(n)
		return nil
	}
	n.change(k)
	if ok, _ := q.check(n); ok {
		q.activate(n)
	}
	return nil
}

// find returns the note of a change, attached or not.
func (q *queue) find(k *Kevent_t) (*note, error) {
	switch k.Filter {
	case EVFILT_USER:
		n := q.user[k.Ident]
		if n == nil {
			n = &note{ident: k.Ident, filter: k.Filter}
			q.user[k.Ident] = n
		}
		return n, nil
	case EVFILT_READ, EVFILT_WRITE:
		f, err := q.open(int(k.Ident))
		if err != nil {
			return nil, err
		}
		return &f.notes[setOf(k.Filter)], nil
	}
	return nil, unix.EINVAL
}

// change updates the note with the values that EV_ADD replaces.
func (n *note) change(k *Kevent_t) {
	if n.filter == EVFILT_USER {
		if k.Fflags&^NOTE_TRIGGER != 0 {
			panic("kqueue: fflags of EVFILT_USER that are not modelled")
		}
		n.triggered = n.triggered || k.Fflags&NOTE_TRIGGER != 0
		return
	}
	if k.Fflags&^NOTE_LOWAT != 0 {
		panic("kqueue: fflags that are not modelled")
	}
	n.lowat = 0
	if k.Fflags&NOTE_LOWAT != 0 {
		n.lowat = k.Data
	}
}

func setOf(filter int16) int { return -1 - int(filter) }

// attach registers the note's descriptor in its epoll set.
func (q *queue) attach(n *note) error {
	if n.file != nil {
		if err := q.watch(n); err != nil {
			return err
		}
	}
	n.attached = true
	return nil
}

func (q *queue) watch(n *note) error {
	n.generation++
	event := unix.EpollEvent{Events: unix.EPOLLOUT | unix.EPOLLET, Fd: int32(n.ident), Pad: n.generation}
	if n.filter == EVFILT_READ {
		event.Events = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET
	}
	set := q.sets[setOf(n.filter)]
	err := unix.EpollCtl(set, unix.EPOLL_CTL_ADD, int(n.ident), &event)
	if err == unix.EEXIST {
		// The socket was closed and opened again under this number.
		err = unix.EpollCtl(set, unix.EPOLL_CTL_MOD, int(n.ident), &event)
	}
	// epoll first reports the current state, which is not a change. collect ignores that
	// event, because the note is not attached yet.
	q.collect()
	return err
}

// detach removes the note from everything.
func (q *queue) detach(n *note) {
	n.attached, n.triggered = false, false
	if n.active {
		n.active = false
		for i := range q.active {
			if q.active[i] == n {
				q.active[i] = nil
			}
		}
	}
	if n.file != nil {
		// ENOENT and EBADF: closing the descriptor has removed the registration.
		_ = unix.EpollCtl(q.sets[setOf(n.filter)], unix.EPOLL_CTL_DEL, int(n.ident), nil)
	}
}

// activate appends the note to the active ones, unless it is active.
func (q *queue) activate(n *note) {
	if n.active {
		return
	}
	n.active = true
	q.active = append(q.active, n)
	q.count = [8]byte{1}
	_, _ = unix.Write(q.fd, q.count[:]) // a full counter wakes as well
}
