//go:build darwin || netbsd || openbsd || dragonfly

package sockets

import (
	"context"
	"net"
)

// spread keeps to one socket: SO_REUSEPORT does not balance here. Its connections
// are dispatched to the loops.
func spread(ctx context.Context, network, address string, n int) ([]net.Listener, error) {
	return single(ctx, network, address, n)
}
