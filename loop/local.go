package loop

import "net"

// LocalAddr is the address that the peer has connected to, a *net.TCPAddr or
// *net.UnixAddr, asked of the kernel at each call; nil if the connection is gone.
func (c *Conn) LocalAddr() net.Addr {
	if c.state == Closed {
		return nil
	}
	addr, err := localAddr(int(c.fd))
	if err != nil {
		return nil
	}
	return addr
}
