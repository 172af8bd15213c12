package loop

import (
	"net"

	"golang.org/x/sys/unix"
)

// LocalAddr is the address that the peer has connected to, a *net.TCPAddr or
// *net.UnixAddr, asked of the kernel at each call; nil if the connection is gone.
func (c *Conn) LocalAddr() net.Addr {
	if c.state == Closed {
		return nil
	}
	sa, err := unix.Getsockname(int(c.fd))
	if err != nil {
		return nil
	}
	if sa, ok := sa.(*unix.SockaddrUnix); ok {
		return &net.UnixAddr{Net: "unix", Name: sa.Name}
	}
	return encode(sa).addr()
}
