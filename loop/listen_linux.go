package loop

import (
	"context"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// spread opens further sockets on the address of first, between which Linux
// balances (SO_REUSEPORT, socket(7)). The first was bound without the option, so
// that an address in use by anybody, another process of this program included, is
// an error; it gets the option before the others bind.
func spread(first net.Listener, network string, n int) ([]net.Listener, error) {
	listeners := []net.Listener{first}
	raw, err := first.(syscall.Conn).SyscallConn()
	if err != nil {
		return listeners, err
	}
	if err := control(raw, reusePort); err != nil {
		return listeners, err
	}
	lc := listenConfig(reusePort)
	for len(listeners) < n {
		ln, err := lc.Listen(context.Background(), network, first.Addr().String())
		if err != nil {
			return listeners, err
		}
		listeners = append(listeners, ln)
	}
	return listeners, nil
}

func reusePort(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}
