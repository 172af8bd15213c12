package loop

import (
	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/poller"
)

// row is what a failing call may lead to: every other outcome is an error.
type row struct {
	call   callName
	errnos []unix.Errno
	most   []int          // short results, in bytes
	ready  []poller.Ready // false announcements
	late   bool           // of them
	lost   bool           // a failing Set ends the registration
	ends   bool           // it may end this connection, with a reset
	waits  bool           // the loop waits for a while before it tries again

	together int // so many calls may fail before it waits; 0 for one
}

var rows = []row{
	{call: onAccept, errnos: []unix.Errno{unix.EINTR, unix.ECONNABORTED, unix.EPROTO, unix.EPERM,
		unix.ENETDOWN, unix.EHOSTUNREACH, unix.EOPNOTSUPP, unix.EAGAIN}},
	{call: onAccept, errnos: []unix.Errno{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM, unix.EIO, unix.EINVAL}, waits: true},

	{call: onRead, errnos: []unix.Errno{unix.EINTR, unix.EAGAIN}, most: []int{1, 7}},
	{call: onRead, errnos: []unix.Errno{unix.ENOBUFS, unix.ENOMEM}, waits: true},
	{call: onRead, errnos: []unix.Errno{unix.ECONNRESET, unix.ETIMEDOUT, unix.EHOSTUNREACH, unix.EIO, unix.EPERM, unix.EBADF}, ends: true},

	{call: onWrite, errnos: []unix.Errno{unix.EINTR, unix.EAGAIN}, most: []int{1, 1000}},
	{call: onWrite, errnos: []unix.Errno{unix.ENOBUFS, unix.ENOMEM}, waits: true},
	{call: onWrite, errnos: []unix.Errno{unix.EPIPE, unix.ECONNRESET, unix.ETIMEDOUT, unix.EIO, unix.EPERM, unix.EBADF}, ends: true},

	{call: onShutdown, errnos: []unix.Errno{unix.ENOTCONN, unix.ENOBUFS, unix.ENOMEM, unix.EIO, unix.EINVAL}, ends: true},

	{call: onAdd, errnos: []unix.Errno{unix.ENOMEM, unix.ENOSPC}, waits: true},
	{call: onAdd, errnos: []unix.Errno{unix.EPERM, unix.EEXIST, unix.EBADF, unix.EINVAL, unix.ELOOP}, ends: true},
	{call: onSet, errnos: []unix.Errno{unix.ENOMEM, unix.ENOSPC}, waits: true},
	{call: onSet, errnos: []unix.Errno{unix.ENOMEM}, lost: true, waits: true},
	{call: onSet, errnos: []unix.Errno{unix.ENOENT, unix.EBADF, unix.EINVAL}, ends: true},
	{call: onDelete, errnos: []unix.Errno{unix.ENOMEM, unix.ENOENT}, ends: true},

	// The connection's Add, or Set and Delete, and the listener's Set and Delete.
	{call: onControl, errnos: []unix.Errno{unix.ENOMEM}, waits: true, together: 4},

	{call: onWait, ready: []poller.Ready{0, poller.Read, poller.Write, poller.Read | poller.Write}},
	{call: onWait, ready: []poller.Ready{poller.Failed, poller.Failed | poller.Read}, ends: true},
	{call: onWait, ready: []poller.Ready{poller.Failed, poller.Read}, late: true},
}

// inSeries is how often a call fails that fails again and again.
const inSeries = 40

// eachOf is how many of the first calls are tried one by one.
const eachOf = 3

// faults lists the faults of a row, for an exchange that makes so many of its calls.
func (r row) faults(made int) (all []fault) {
	if made == 0 {
		return nil
	}
	var kinds []fault
	for _, errno := range r.errnos {
		kinds = append(kinds, fault{call: r.call, errno: errno, lost: r.lost})
	}
	for _, most := range r.most {
		kinds = append(kinds, fault{call: r.call, most: most})
	}
	for _, ready := range r.ready {
		kinds = append(kinds, fault{call: r.call, announce: ready, late: r.late})
	}
	add := func(f fault, first, every, last int) {
		f.first, f.every, f.last = first, every, last
		all = append(all, f)
	}
	for _, f := range kinds {
		for n := 1; n <= min(made, eachOf); n++ {
			add(f, n, 1, n)
		}
		add(f, 2, 1, 3)
		add(f, 1, 3, 3*inSeries)
		add(f, 1, 1, inSeries)
	}
	return all
}
