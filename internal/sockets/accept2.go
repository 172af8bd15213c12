//go:build darwin || netbsd || openbsd

package sockets

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// acceptNonblocking does in three steps what accept4 does in one, holding back
// programs that are started meanwhile and would inherit the descriptor.
func acceptNonblocking(fd int) (int, unix.Sockaddr, unix.Errno) {
	syscall.ForkLock.RLock()
	conn, sa, err := unix.Accept(fd)
	if err == nil {
		unix.CloseOnExec(conn)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, nil, err.(unix.Errno)
	}
	if err := unix.SetNonblock(conn, true); err != nil {
		Close(conn)
		return -1, nil, unix.ECONNABORTED // reset before it was accepted
	}
	return conn, sa, 0
}
