package sockets

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// Inherit duplicates a listening socket that was opened elsewhere, by another process
// as a rule, and makes it fit for a loop: non-blocking, and with the options that
// accepted connections inherit. Both are properties of the socket, which its other
// holders share. The caller owns the descriptor.
func Inherit(s syscall.Conn) (fd int, addr net.Addr, err error) {
	raw, err := s.SyscallConn()
	if err != nil {
		return -1, nil, err
	}
	err = control(raw, func(original int) error {
		if err := checkListening(original); err != nil {
			return err
		}
		if addr, err = LocalAddr(original); err != nil {
			return err
		}
		if _, ok := addr.(*net.TCPAddr); ok {
			if err := setTCPOptions(original); err != nil {
				return err
			}
		}
		if err := unix.SetNonblock(original, true); err != nil {
			return err
		}
		fd, err = unix.FcntlInt(uintptr(original), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	return fd, addr, err
}

// checkListening returns an error, with advice, for a descriptor that connections cannot
// be accepted from.
func checkListening(fd int) error {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	switch {
	case errors.Is(err, unix.ENOTSOCK):
		return fmt.Errorf("it is not a socket: %w", err)
	case err != nil:
		return err
	case kind != unix.SOCK_STREAM:
		return errors.New("it is not a stream socket: only TCP and Unix stream sockets take connections here")
	}
	listening, err := isListening(fd)
	if err == nil && !listening {
		err = errors.New("it does not listen: call listen(2) before it is passed on, and pass the listener, not a connection")
	}
	return err
}

// isListening asks for SO_ACCEPTCONN, which getsockopt(2) of darwin, OpenBSD and
// DragonFly does not know. There, only a connection is known not to listen.
func isListening(fd int) (bool, error) {
	listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if errors.Is(err, unix.ENOPROTOOPT) {
		_, notConnected := unix.Getpeername(fd)
		return notConnected != nil, nil
	}
	return listening != 0, err
}

// LocalAddr is the address that a TCP or Unix socket is bound to.
func LocalAddr(fd int) (net.Addr, error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return nil, err
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4, *unix.SockaddrInet6:
		return FromSockaddr(sa).NetAddr(), nil
	case *unix.SockaddrUnix:
		return &net.UnixAddr{Net: "unix", Name: sa.Name}, nil
	}
	return nil, fmt.Errorf("its address is a %T: only TCP and Unix sockets are served", sa)
}

// KeepNonblocking undoes a change that another process may have made to a socket that it
// shares with this one: os.File.Fd, for one, which os/exec calls, turns O_NONBLOCK off.
// A system call that blocks would block the loop.
func KeepNonblocking(fd int) error {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK != 0 {
		return err
	}
	return unix.SetNonblock(fd, true)
}
