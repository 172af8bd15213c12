package sockets

import (
	"context"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Listen opens up to n non-blocking listening sockets on one address, which share
// its connections. Where the platform does not balance between sockets, and for
// Unix sockets, it opens one. The network is tcp, tcp4, tcp6 or unix. Looking up a
// name blocks until ctx ends. The caller owns the descriptors. A Unix socket's file is
// the caller's to remove.
func Listen(ctx context.Context, network, address string, n int) (fds []int, addr net.Addr, err error) {
	open := spread
	if network == "unix" || n == 1 {
		open = single
	}
	listeners, err := open(ctx, network, address, n)
	for _, ln := range listeners {
		if err == nil {
			var fd int
			if fd, err = takeListener(ln); err == nil {
				fds = append(fds, fd)
			}
		}
		if cerr := ln.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		for _, fd := range fds {
			Close(fd)
		}
		return nil, nil, err
	}
	return fds, listeners[0].Addr(), nil
}

// single opens one socket, whatever is asked for.
func single(ctx context.Context, network, address string, _ int) ([]net.Listener, error) {
	ln, err := listenConfig(nil).Listen(ctx, network, address)
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

// takeListener duplicates the socket of ln. Its file, if it has one, stays.
func takeListener(ln net.Listener) (fd int, err error) {
	if u, ok := ln.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	return duplicate(ln.(syscall.Conn))
}

// FromConn duplicates the socket of a connection, which the caller owns, and returns its
// peer. conn stays open.
func FromConn(conn net.Conn) (fd int, peer Addr, err error) {
	switch c := conn.(type) {
	case *net.TCPConn:
	case *net.UnixConn:
		if a := c.LocalAddr(); a != nil && a.Network() != "unix" {
			return -1, Addr{}, fmt.Errorf("a %s socket cannot be adopted: its input is not a stream", a.Network())
		}
	default:
		return -1, Addr{}, fmt.Errorf("a %T cannot be adopted: only *net.TCPConn and *net.UnixConn have a socket of their own", conn)
	}
	if fd, err = duplicate(conn.(syscall.Conn)); err != nil {
		return -1, Addr{}, err
	}
	sa, err := unix.Getpeername(fd) // ENOTCONN: the peer has disconnected
	if err == nil {
		err = KeepNonblocking(fd)
	}
	if err != nil {
		Close(fd)
		return -1, Addr{}, err
	}
	return fd, FromSockaddr(sa), nil
}

// NetConn returns a connection of package net with a duplicate of the socket, which the
// caller still owns.
func NetConn(fd int) (net.Conn, error) {
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(copied), "eddy")
	defer file.Close() // package net makes a duplicate of its own
	return net.FileConn(file)
}

// duplicate duplicates a socket of package net, so that it outlives s. Otherwise package
// net would go on polling it. A TCP socket gets the options of connections.
func duplicate(s syscall.Conn) (fd int, err error) {
	raw, err := s.SyscallConn()
	if err != nil {
		return -1, err
	}
	err = control(raw, func(original int) error {
		switch s.(type) {
		case *net.TCPListener, *net.TCPConn:
			if err := setTCPOptions(original); err != nil {
				return err
			}
		}
		fd, err = unix.FcntlInt(uintptr(original), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	return fd, err
}
