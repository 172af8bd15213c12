package eddy

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
)

// Listener is an address that an engine accepts connections on.
type Listener struct {
	engine   *Engine
	addr     net.Addr
	protocol Protocol
	shared   bool        // with other processes
	file     os.FileInfo // of a Unix socket
	unlinked sync.Once   // not twice: another process may have bound the path by then

	sockets []int          // guarded by engine.mu: owned until the loops have them
	stops   []func() error // guarded by engine.mu: of the loops that accept
}

// Addr is the bound address, with the port that was chosen for 0. Any goroutine.
func (ln *Listener) Addr() net.Addr { return ln.addr }

// Close stops accepting on this address, after the connections in the kernel's queue; before Run,
// these are reset. Open connections stay. The error is always nil. Any goroutine.
func (ln *Listener) Close() error {
	e := ln.engine
	e.mu.Lock()
	e.listeners = slices.DeleteFunc(e.listeners, func(other *Listener) bool { return other == ln })
	ln.close()
	e.mu.Unlock()
	ln.unlink()
	return nil
}

// Listen binds an address, on which connections speak p. The network is tcp, tcp4, tcp6 or unix; a
// TCP address is host:port, where an empty host means all interfaces and port 0 a free port; a Unix
// one is a path. A socket file that no process listens on is replaced. Looking up a name blocks,
// also a loop, for as long as the resolver takes, or until Shutdown. The error has advice; after
// Shutdown it is ErrServerClosed. Any goroutine. Clients can connect from now on, and are served
// once Run is called. On Linux and FreeBSD every loop has a listening socket of its own.
func (e *Engine) Listen(network, address string, p Protocol) (*Listener, error) {
	if p == nil {
		return nil, errNoProtocol
	}
	if e.Draining() {
		return nil, ErrServerClosed
	}
	switch network {
	case "tcp", "tcp4", "tcp6":
	case "unix":
		if err := sockets.RemoveStale(address); err != nil {
			return nil, sockets.ListenError(network, address, err)
		}
	default:
		return nil, fmt.Errorf("eddy: listen on network %q: use tcp, tcp4, tcp6 or unix", network)
	}
	fds, addr, err := sockets.Listen(e.serving, network, address, len(e.loops))
	switch {
	case err == nil:
	case e.Draining():
		return nil, ErrServerClosed
	default:
		return nil, sockets.ListenError(network, address, err)
	}
	ln := &Listener{engine: e, addr: addr, protocol: p, sockets: fds}
	if network == "unix" {
		ln.file, _ = os.Stat(address) // without it, the file is not removed at the end
	}
	if err := e.add(ln); err != nil {
		ln.unlink()
		return nil, err
	}
	return ln, nil
}

// add serves a listener, from Run on. An error leaves no socket of it.
func (e *Engine) add(ln *Listener) (err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch e.stage {
	case ready:
	case running:
		err = ln.start()
	default:
		err = ErrServerClosed
	}
	if err != nil {
		ln.close()
		return err
	}
	e.listeners = append(e.listeners, ln)
	return nil
}

// start gives the sockets to the loops: one to each, or a single one to the first, which dispatches
// to all. An error says that loops have ended. The engine is locked.
func (ln *Listener) start() (failed error) {
	loops := ln.engine.loops
	for i, fd := range ln.sockets {
		to := loops[i : i+1]
		if len(ln.sockets) == 1 {
			to = loops
		}
		stop, err := loops[i].Accept(fd, to, ln.protocol, ln.shared) // it owns fd, whatever fails
		if err != nil {
			failed = err
			continue
		}
		ln.stops = append(ln.stops, stop)
	}
	ln.sockets = nil
	return failed
}

// close gives the sockets up. The engine is locked.
func (ln *Listener) close() {
	for _, fd := range ln.sockets {
		_ = unix.Close(fd) // nothing was written that could fail
	}
	for _, stop := range ln.stops {
		_ = stop() // an error says that its loop has ended, and has closed it
	}
	ln.sockets, ln.stops = nil, nil
}

// unlink removes the file of a Unix socket, if it still is this one's.
func (ln *Listener) unlink() {
	ln.unlinked.Do(func() {
		path := ln.addr.String()
		if now, err := os.Stat(path); ln.file != nil && err == nil && os.SameFile(now, ln.file) {
			_ = os.Remove(path) // a stale file is replaced at the next start
		}
	})
}

var errNoProtocol = errors.New("eddy: a listener needs a protocol, such as Open of what http1.New returns: it was nil")
