//go:build darwin || netbsd || openbsd || dragonfly

package loop

import "net"

// spread keeps to one socket: SO_REUSEPORT does not balance here. Its connections
// are dealt out over the loops.
func spread(network, address string, n int) ([]net.Listener, error) {
	return single(network, address, n)
}
