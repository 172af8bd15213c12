//go:build linux

package unix

import "golang.org/x/sys/unix"

// traits are the differences among the systems.
type traits struct {
	capsLowWater   bool // NOTE_LOWAT is lowered to the size of the receive buffer
	tellsListeners bool // getsockopt knows SO_ACCEPTCONN
	refusesYears   bool // a timeout beyond mostSeconds is EINVAL
}

// mostSeconds is the longest timeout of a system that refuses years.
const mostSeconds = 100_000_000

// name is the system that the model stands for. The linker sets it (-X).
var name = "freebsd"

var systems = map[string]traits{
	"darwin":    {capsLowWater: true, refusesYears: true},
	"dragonfly": {},
	"freebsd":   {tellsListeners: true},
	"netbsd":    {tellsListeners: true},
	"openbsd":   {},
}

var system = systems[name]

// SO_REUSEPORT_LB is FreeBSD's name for what SO_REUSEPORT is on Linux.
const SO_REUSEPORT_LB = unix.SO_REUSEPORT

// GetsockoptInt refuses the options that the system does not know.
func GetsockoptInt(fd, level, option int) (int, error) {
	if level == unix.SOL_SOCKET && option == unix.SO_ACCEPTCONN && !system.tellsListeners {
		return 0, unix.ENOPROTOOPT
	}
	return unix.GetsockoptInt(fd, level, option)
}
