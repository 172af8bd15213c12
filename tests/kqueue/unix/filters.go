//go:build linux

package unix

import (
	"golang.org/x/sys/unix"
)

// file is an open file with the notes of its descriptor.
type file struct {
	dev, ino  uint64 // identity, from fstat(2)
	kind      uint32 // unix.S_IFSOCK or S_IFIFO
	listening bool
	notes     [2]note // indexed by setOf(filter)
}

// open returns the file of a descriptor. It removes the notes of an earlier file with the
// same number.
func (q *queue) open(fd int) (*file, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		if 0 <= fd && fd < len(q.files) {
			q.forget(q.files[fd])
		}
		return nil, err
	}
	for len(q.files) <= fd {
		q.files = append(q.files, nil)
	}
	f := q.files[fd]
	if f == nil {
		f = &file{}
		for i := range f.notes {
			f.notes[i] = note{file: f, ident: uint64(fd), filter: int16(-1 - i)}
		}
		q.files[fd] = f
	}
	if f.is(&stat) {
		return f, nil
	}
	q.forget(f)
	f.dev, f.ino, f.kind = stat.Dev, stat.Ino, stat.Mode&unix.S_IFMT
	switch f.kind {
	case unix.S_IFSOCK:
		accepts, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
		f.listening = err == nil && accepts != 0
	case unix.S_IFIFO:
		f.listening = false
	default:
		panic("kqueue: a kind of file that is not modelled")
	}
	return f, nil
}

func (f *file) is(stat *unix.Stat_t) bool { return f.dev == stat.Dev && f.ino == stat.Ino }

// forget removes the notes of a descriptor that was closed.
func (q *queue) forget(f *file) {
	if f == nil {
		return
	}
	f.dev, f.ino = 0, 0
	for i := range f.notes {
		if f.notes[i].attached {
			q.detach(&f.notes[i])
		}
	}
}

// check evaluates the note's filter. It removes the notes of a closed descriptor.
func (q *queue) check(n *note) (active bool, k Kevent_t) {
	k = Kevent_t{Ident: n.ident, Filter: n.filter}
	if n.clear {
		k.Flags = EV_CLEAR
	}
	if n.filter == EVFILT_USER {
		return n.triggered, k
	}
	var stat unix.Stat_t
	if err := unix.Fstat(int(n.ident), &stat); err != nil || !n.file.is(&stat) {
		q.forget(n.file)
		return false, k
	}
	if n.filter == EVFILT_WRITE {
		return n.checkWrite(&k), k
	}
	return n.checkRead(&k), k
}

func (n *note) checkWrite(k *Kevent_t) bool {
	state := n.state(unix.POLLOUT)
	if n.file.listening {
		return false
	}
	n.end(k, state, unix.POLLHUP)
	return state != 0
}

func (n *note) checkRead(k *Kevent_t) bool {
	state := n.state(unix.POLLIN | unix.POLLRDHUP)
	switch {
	case n.file.listening:
		k.Data = int64(state & unix.POLLIN)
		return k.Data != 0
	case n.file.kind == unix.S_IFIFO:
		n.end(k, state, unix.POLLHUP)
	default:
		n.end(k, state, unix.POLLRDHUP)
	}
	unread, err := unix.IoctlGetInt(int(n.ident), unix.TIOCINQ)
	if err == nil {
		k.Data = int64(unread)
	}
	return k.Flags&EV_EOF != 0 || state&unix.POLLERR != 0 || k.Data >= n.lowWater()
}

// end sets EV_EOF, and the error, under any of the conditions.
func (n *note) end(k *Kevent_t, state, conditions int16) {
	if state&conditions == 0 {
		return
	}
	k.Flags |= EV_EOF
	if n.file.kind == unix.S_IFSOCK && state&unix.POLLERR != 0 {
		k.Fflags = uint32(unix.ECONNRESET)
	}
}

// lowWater is the number of unread bytes that makes EVFILT_READ true.
func (n *note) lowWater() int64 {
	least := max(n.lowat, 1)
	if system.capsLowWater && n.file.kind == unix.S_IFSOCK {
		// Linux reports twice the size: socket(7).
		if size, err := unix.GetsockoptInt(int(n.ident), unix.SOL_SOCKET, unix.SO_RCVBUF); err == nil {
			least = min(least, int64(size/2))
		}
	}
	return least
}

// state is the result of poll(2) for the descriptor.
func (n *note) state(asked int16) int16 {
	fds := [...]unix.PollFd{{Fd: int32(n.ident), Events: asked}}
	for {
		if _, err := unix.Poll(fds[:], 0); err != unix.EINTR {
			return fds[0].Revents
		}
	}
}
