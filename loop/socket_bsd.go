//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package loop

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/buffers"
)

// darwin and OpenBSD demand that system calls go through the C library. x/sys sees to it.

func read(fd int, p []byte) (int, unix.Errno) { return count(unix.Read(fd, p)) }

func write(fd int, p []byte) (int, unix.Errno) { return count(unix.Write(fd, p)) }

func count(n int, err error) (int, unix.Errno) {
	if err != nil {
		return 0, err.(unix.Errno) // x/sys returns no other type here
	}
	return n, 0
}

// sendFile copies one piece through a buffer.
func sendFile(fd int, f *os.File, offset, n int64) (int64, error) {
	b := buffers.Get()
	defer buffers.Put(b)
	size := int(min(n, buffers.MaxKept))
	if cap(b.B) < size {
		b.B = make([]byte, size)
	}
	m, err := f.ReadAt(b.B[:size], offset)
	if m == 0 {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return 0, err
	}
	written, errno := write(fd, b.B[:m])
	if errno != 0 {
		return 0, errno
	}
	return int64(written), nil
}

// accept takes a connection off the queue of a listener.
func accept(fd int) (int, endpoint, unix.Errno) {
	conn, sa, errno := acceptNonblocking(fd)
	if errno != 0 {
		return -1, endpoint{}, errno
	}
	return conn, encode(sa), 0
}
