package sockets

import (
	"context"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// spread opens n sockets on the address, between which FreeBSD balances
// (SO_REUSEPORT_LB, setsockopt(2)). The option counts before bind only.
func spread(ctx context.Context, network, address string, n int) (listeners []net.Listener, err error) {
	lc := listenConfig(nil)
	lc.Control = func(network, address string, raw syscall.RawConn) error {
		return control(raw, func(fd int) error {
			if len(listeners) == 0 {
				if err := claim(fd, address); err != nil {
					return err
				}
			}
			return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT_LB, 1)
		})
	}
	for len(listeners) < n {
		ln, err := lc.Listen(ctx, network, address)
		if err != nil {
			return listeners, err
		}
		listeners = append(listeners, ln)
		address = ln.Addr().String() // with the port, if one was to be chosen
	}
	return listeners, nil
}

// claim returns an error if anybody uses the address that fd is about to be bound to:
// SO_REUSEPORT_LB alone would share it with other processes of this user. Another
// socket, without the option, is bound to it for a moment. That one does not listen, so
// a client that connects meanwhile is refused, as it would have been before, and none
// waits in a queue that is about to be reset.
func claim(fd int, address string) error {
	sa, err := bindAddress(fd, address)
	if err != nil {
		return err
	}
	family := unix.AF_INET
	if _, ok := sa.(*unix.SockaddrInet6); ok {
		family = unix.AF_INET6
	}
	other, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer Close(other)
	if family == unix.AF_INET6 {
		only, err := unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)
		if err == nil {
			err = unix.SetsockoptInt(other, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only)
		}
		if err != nil {
			return err
		}
	}
	// As package net has it: connections in TIME_WAIT do not count.
	if err := unix.SetsockoptInt(other, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	return unix.Bind(other, sa)
}

// bindAddress is the address as package net is about to bind fd to it, a numeric one.
func bindAddress(fd int, address string) (unix.Sockaddr, error) {
	to, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	sa, err := unix.Getsockname(fd) // still all zero: the address of all interfaces
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		sa.Port = to.Port
		copy(sa.Addr[:], to.IP.To4())
	case *unix.SockaddrInet6:
		sa.Port = to.Port
		if !to.IP.IsUnspecified() { // also written as an IPv4 address
			copy(sa.Addr[:], to.IP.To16())
		}
		if i, err := net.InterfaceByName(to.Zone); err == nil {
			sa.ZoneId = uint32(i.Index)
		}
	}
	return sa, err
}
