//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package sockets

import (
	"os"

	"golang.org/x/sys/unix"
)

// darwin and OpenBSD demand that system calls go through the C library: x/sys does so.

// Read is read(2).
func Read(fd int, p []byte) (int, unix.Errno) { return count(unix.Read(fd, p)) }

// Write is write(2). There is no MSG_MORE: see Linux.
func Write(fd int, p []byte, _ bool) (int, unix.Errno) { return count(unix.Write(fd, p)) }

// CloseWrite is shutdown(2) of the output.
func CloseWrite(fd int) error { return unix.Shutdown(fd, unix.SHUT_WR) }

func count(n int, err error) (int, unix.Errno) {
	if err != nil {
		return 0, err.(unix.Errno) // x/sys returns no other type here
	}
	return n, 0
}

// CanSendFile reports whether SendFile works on this system.
const CanSendFile = false

// SendFile is not available: the interfaces of these systems differ too much.
func SendFile(int, *os.File, int64, int64) (int64, unix.Errno) { return 0, unix.ENOSYS }

// Accept takes a connection off the queue of a listener.
func Accept(fd int) (int, Addr, unix.Errno) {
	conn, sa, errno := acceptNonblocking(fd)
	if errno != 0 {
		return -1, Addr{}, errno
	}
	return conn, FromSockaddr(sa), 0
}
