package sockets

import "golang.org/x/sys/unix"

// MaxSlices is how many slices one Writev takes.
const MaxSlices = 64

// setTCPOptions sets the options of all connections, which they inherit from their
// listener (tcp(7)).
func setTCPOptions(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	return boundUnsent(fd)
}

// Error takes the error of a broken socket, SO_ERROR.
func Error(fd int) error {
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	switch {
	case err != nil:
		return err
	case errno != 0:
		return unix.Errno(errno)
	}
	return unix.ECONNRESET // it was reported before
}

// ResetOnClose makes close(2) send a reset and drop the kernel's buffers.
func ResetOnClose(fd int) error {
	return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}

// HasClients reports whether a listener has connections to accept.
func HasClients(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

// Unread reports whether input waits in the kernel.
func Unread(fd int) bool {
	var one [1]byte
	n, _, err := unix.Recvfrom(fd, one[:], unix.MSG_PEEK) // a failure is not input: it is met when the socket is closed
	return err == nil && n > 0
}

// Close closes a descriptor. Whatever close(2) reports, EINTR among it, the
// descriptor is gone, and calling again could close somebody else's.
func Close(fd int) { _ = unix.Close(fd) }
