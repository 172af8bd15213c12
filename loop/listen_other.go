//go:build darwin || netbsd || openbsd || dragonfly

package loop

import "net"

// spread keeps to one socket: SO_REUSEPORT does not balance here. Its connections
// are dealt out over the loops.
func spread(first net.Listener, _ string, _ int) ([]net.Listener, error) {
	return []net.Listener{first}, nil
}
