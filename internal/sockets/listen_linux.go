package sockets

import (
	"context"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// spread opens n sockets on the address, between which Linux balances (SO_REUSEPORT,
// socket(7)). The first is bound without the option, so that an address in use by
// anybody, another process of this program included, is an error; it gets the option
// before the others bind.
func spread(ctx context.Context, network, address string, n int) ([]net.Listener, error) {
	listeners, err := single(ctx, network, address, n)
	if err != nil {
		return nil, err
	}
	first := listeners[0]
	raw, err := first.(syscall.Conn).SyscallConn()
	if err != nil {
		return listeners, err
	}
	if err := control(raw, reusePort); err != nil {
		return listeners, err
	}
	lc := listenConfig(reusePort)
	for len(listeners) < n {
		ln, err := lc.Listen(ctx, network, first.Addr().String())
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
