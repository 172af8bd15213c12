//go:build linux || freebsd || netbsd || dragonfly

package sockets

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Writev writes up to MaxSlices slices. x/sys has a Writev for Linux only among these
// systems, and it allocates memory for more than a few slices.
func Writev(fd int, slices [][]byte) (int, unix.Errno) {
	var vector [MaxSlices]unix.Iovec
	for i, p := range slices {
		vector[i].Base = unsafe.SliceData(p)
		vector[i].SetLen(len(p))
	}
	n, _, errno := unix.RawSyscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&vector)), uintptr(len(slices)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
