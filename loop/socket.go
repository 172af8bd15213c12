package loop

import "golang.org/x/sys/unix"

// setTCPOptions sets what connections have in common. They inherit it from their
// listener (tcp(7)).
func setTCPOptions(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	return boundUnsent(fd)
}

// pendingError takes the error that a socket has failed with, nil if it has not.
func pendingError(fd int) error {
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = unix.Errno(errno)
	}
	return err
}

// socketError is what a broken connection has failed with.
func (c *Conn) socketError() error {
	if err := c.loop.calls.socketError(int(c.fd)); err != nil {
		return err
	}
	return unix.ECONNRESET // the error was reported before, the socket is dead
}

// resetAtEnd has close(2) send a reset and drop what the kernel holds.
func resetAtEnd(fd int) error {
	return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}

// queued reports whether a listener has connections to accept.
func queued(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

// unread reports whether input waits in the kernel.
func unread(fd int) bool {
	var one [1]byte
	n, _, err := unix.Recvfrom(fd, one[:], unix.MSG_PEEK) // a failure is not input: it is met when the socket is closed
	return err == nil && n > 0
}

// closeFD closes a descriptor. Whatever close(2) reports, EINTR among it, the
// descriptor is gone, and calling again could close somebody else's.
func closeFD(fd int) { _ = unix.Close(fd) }
