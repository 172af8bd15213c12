//go:build linux

package unix

import "golang.org/x/sys/unix"

// traits are the differences among the systems.
type traits struct {
	capsLowWater   bool // NOTE_LOWAT is lowered to the size of the receive buffer
	hasAcceptConn  bool // getsockopt supports SO_ACCEPTCONN
	limitsTimeouts bool // a timeout beyond mostSeconds is EINVAL
}

// mostSeconds is the longest timeout of a system with limitsTimeouts.
const mostSeconds = 100_000_000

// name is the modelled system. The linker sets it (-X).
var name = "freebsd"

var systems = map[string]traits{
	"darwin":    {capsLowWater: true, limitsTimeouts: true},
	"dragonfly": {},
	"freebsd":   {hasAcceptConn: true},
	"netbsd":    {hasAcceptConn: true},
	"openbsd":   {},
}

var system = systems[name]

// SO_REUSEPORT_LB is FreeBSD's name for SO_REUSEPORT on Linux.
const SO_REUSEPORT_LB = unix.SO_REUSEPORT

// GetsockoptInt fails for options that the system does not support.
func GetsockoptInt(fd, level, option int) (int, error) {
	if level == unix.SOL_SOCKET && option == unix.SO_ACCEPTCONN && !system.hasAcceptConn {
		return 0, unix.ENOPROTOOPT
	}
	return unix.GetsockoptInt(fd, level, option)
}
