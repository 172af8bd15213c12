//go:build darwin || openbsd

package sockets

import "golang.org/x/sys/unix"

// slicesPerCall is how many slices unix.Writev takes without allocating memory.
const slicesPerCall = 8

// Writev writes through the C library, as these systems demand.
func Writev(fd int, slices [][]byte) (int, unix.Errno) {
	written := 0
	for len(slices) > 0 {
		some := slices[:min(len(slices), slicesPerCall)]
		slices = slices[len(some):]
		n, errno := count(unix.Writev(fd, some))
		if errno != 0 && written == 0 {
			return 0, errno
		}
		written += n
		if n < size(some) {
			break // the error, if any, comes back with the next call
		}
	}
	return written, 0
}

func size(slices [][]byte) (n int) {
	for _, p := range slices {
		n += len(p)
	}
	return n
}
