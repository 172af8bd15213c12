package eddy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
)

// ListenFile serves a listening TCP or Unix stream socket that a supervisor or a service manager
// has opened. Connections speak p and are dispatched to all loops. Other processes may accept from
// the same socket, which becomes non-blocking for all.
//
// The engine closes f unless there is an error: while anybody holds the socket, clients queue up at
// it. When the engine drains, or the Listener is closed, queued clients are served, and later ones
// are left to the other holders. The file of a Unix socket stays. Any goroutine.
func (e *Engine) ListenFile(f *os.File, p Protocol) (*Listener, error) {
	if f == nil {
		return nil, errors.New("eddy: ListenFile needs a listening socket: the file was nil")
	}
	return e.inherit(f, "file "+f.Name(), p)
}

// socket is a file or listener with a socket of its own.
type socket interface {
	syscall.Conn
	io.Closer
}

// Serve is ListenFile for a *net.TCPListener or *net.UnixListener. One without a socket of its own
// is an error: accept from it on a goroutine, and give its connections to Adopt. Any goroutine.
func (e *Engine) Serve(ln net.Listener, p Protocol) (*Listener, error) {
	original, ok := ln.(socket)
	if !ok {
		return nil, fmt.Errorf("eddy: a %T has no socket: accept from it on a goroutine, and give its connections to Engine.Adopt", ln)
	}
	return e.inherit(original, ln.Addr().String(), p)
}

// inherit serves a duplicate of a socket that listens already, and closes the original.
func (e *Engine) inherit(original socket, name string, p Protocol) (*Listener, error) {
	if p == nil {
		return nil, errNoProtocol
	}
	fd, addr, err := sockets.Inherit(original)
	if err != nil {
		return nil, fmt.Errorf("eddy: listen on %s: %w", name, err)
	}
	ln := &Listener{engine: e, addr: addr, protocol: p, shared: true, sockets: []int{fd}}
	if err := e.add(ln); err != nil {
		return nil, err
	}
	if unix, ok := original.(*net.UnixListener); ok {
		unix.SetUnlinkOnClose(false) // the file stays, as with ListenFile
	}
	_ = original.Close() // the engine has its own; nothing was written that could fail
	return ln, nil
}

// firstPassed is the first descriptor that a service manager passes on.
const firstPassed = 3

// ActivationFiles returns the sockets that a service manager has opened for this program, in its
// order, with their names if any: socket activation, sd_listen_fds(3). Give those that listen to
// ListenFile. There are none if the program was started in another way. The LISTEN_ variables are
// removed: programs that this one starts get no sockets. Call it once.
func ActivationFiles() ([]*os.File, error) {
	pid, fds, names := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_FDNAMES")
	if pid != strconv.Itoa(os.Getpid()) {
		return nil, nil // nothing, or meant for a parent
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		_ = os.Unsetenv(name) // of a valid name
	}
	n, err := strconv.Atoi(fds)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("eddy: LISTEN_FDS is %q: it must be the number of sockets", fds)
	}
	var files []*os.File
	named := strings.Split(names, ":")
	for i := range n {
		fd := firstPassed + i
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
			return nil, fmt.Errorf("eddy: LISTEN_FDS is %d, but descriptor %d is not open: %w", n, fd, err)
		}
		name := "LISTEN_FD_" + strconv.Itoa(fd)
		if i < len(named) && named[i] != "" {
			name = named[i]
		}
		files = append(files, os.NewFile(uintptr(fd), name))
	}
	return files, nil
}
