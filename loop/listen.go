package loop

import (
	"context"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// Listen opens up to n non-blocking listening sockets on one address, which share
// its connections. Where the platform does not balance between sockets, and for
// Unix sockets, it opens one. The network is tcp, tcp4, tcp6 or unix. Looking up a
// name blocks. The caller owns the descriptors. A Unix socket's file is the caller's to remove.
func Listen(network, address string, n int) (fds []int, addr net.Addr, err error) {
	open := spread
	if network == "unix" || n == 1 {
		open = single
	}
	listeners, err := open(network, address, n)
	for _, ln := range listeners {
		if err == nil {
			var fd int
			if fd, err = take(ln); err == nil {
				fds = append(fds, fd)
			}
		}
		if cerr := ln.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		for _, fd := range fds {
			closeFD(fd)
		}
		return nil, nil, err
	}
	return fds, listeners[0].Addr(), nil
}

// single opens one socket, whatever is asked for.
func single(network, address string, _ int) ([]net.Listener, error) {
	ln, err := listenConfig(nil).Listen(context.Background(), network, address)
	if err != nil {
		return nil, err
	}
	return []net.Listener{ln}, nil
}

// listenConfig is package net's way to listen, with option set on the socket
// before it is bound.
func listenConfig(option func(fd int) error) *net.ListenConfig {
	lc := &net.ListenConfig{KeepAlive: -1} // our deadlines are shorter than TCP's
	lc.SetMultipathTCP(false)
	if option != nil {
		lc.Control = func(_, _ string, raw syscall.RawConn) error { return control(raw, option) }
	}
	return lc
}

// control applies fn to the descriptor behind raw.
func control(raw syscall.RawConn, fn func(fd int) error) error {
	var err error
	if cerr := raw.Control(func(fd uintptr) { err = fn(int(fd)) }); cerr != nil {
		return cerr
	}
	return err
}

// take duplicates the socket of ln, so that it outlives ln, without which package
// net would go on polling it. What accepted connections inherit is set here.
func take(ln net.Listener) (fd int, err error) {
	if u, ok := ln.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	raw, err := ln.(syscall.Conn).SyscallConn()
	if err != nil {
		return -1, err
	}
	err = control(raw, func(original int) error {
		if _, ok := ln.(*net.TCPListener); ok {
			if err := setTCPOptions(original); err != nil {
				return err
			}
		}
		fd, err = unix.FcntlInt(uintptr(original), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	return fd, err
}
