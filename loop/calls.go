package loop

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/poller"
)

// calls are the system calls that a loop makes on sockets, all non-blocking. A loop
// has its own, so that a test can put others there, which fail. close(2) is not among
// them: nothing depends on what it returns.
type calls struct {
	accept      func(fd int) (conn int, peer endpoint, errno unix.Errno)
	read        func(fd int, p []byte) (int, unix.Errno)
	write       func(fd int, p []byte) (int, unix.Errno)
	writev      func(fd int, slices [][]byte) (int, unix.Errno)
	sendFile    func(fd int, f *os.File, offset, n int64) (int64, error)
	shutdown    func(fd, how int) error
	resetAtEnd  func(fd int) error // so that close(2) sends a reset
	socketError func(fd int) error
}

func systemCalls() calls {
	return calls{
		accept:      accept,
		read:        read,
		write:       write,
		writev:      writev,
		sendFile:    sendFile,
		shutdown:    unix.Shutdown,
		resetAtEnd:  resetAtEnd,
		socketError: pendingError,
	}
}

// readiness is the poller as a loop uses it; package poller has the contract.
type readiness interface {
	Add(fd int, token poller.Token, interest poller.Interest) error
	Set(fd int, token poller.Token, interest poller.Interest) error
	Delete(fd int) error
	Wait(timeout time.Duration) ([]poller.Event, error)
	Wake() error
	Close() error
}
