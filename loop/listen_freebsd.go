package loop

import (
	"context"
	"net"

	"golang.org/x/sys/unix"
)

// spread opens n sockets on the address of first, between which FreeBSD balances
// (SO_REUSEPORT_LB, setsockopt(2)). The option counts before bind only: first has
// shown that the address is free, and makes way.
func spread(first net.Listener, network string, n int) ([]net.Listener, error) {
	if err := first.Close(); err != nil {
		return nil, err
	}
	lc := listenConfig(func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT_LB, 1)
	})
	var listeners []net.Listener
	for len(listeners) < n {
		ln, err := lc.Listen(context.Background(), network, first.Addr().String())
		if err != nil {
			return listeners, err
		}
		listeners = append(listeners, ln)
	}
	return listeners, nil
}
