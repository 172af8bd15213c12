package sockets

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// maxUnsent is how many bytes the kernel takes beyond what it has sent. Without the
// bound a peer that does not read is worth megabytes of the kernel's memory, which no
// limit of ours would see.
const maxUnsent = 256 << 10

func boundUnsent(fd int) error {
	return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, maxUnsent)
}

// silentEnd is how much later than the write timeout the kernel ends a connection. It
// sends no reset then: a peer that is there, and does not read, gets the loop's.
const silentEnd = time.Second

// BoundUnacknowledged makes the kernel end the connections of a TCP socket whose peer
// acknowledges nothing for the write timeout, although output is on its way: a peer that
// vanished without a FIN (tcp(7), TCP_USER_TIMEOUT). Accepted connections inherit it.
func BoundUnacknowledged(fd int, writeTimeout time.Duration) {
	ms := min(writeTimeout/time.Millisecond, math.MaxInt32-silentEnd/time.Millisecond) + silentEnd/time.Millisecond
	// Unix sockets do not have the option, and do not need it.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(ms))
}

// Unacknowledged reports whether the peer has not acknowledged all output, or, on a
// Unix socket, not read it.
func Unacknowledged(fd int) bool {
	n, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	return err == nil && n > 0
}
