package loop

import (
	"log/slog"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// endpoint is a peer's address in the least space: a connection carries one.
type endpoint struct {
	ip     [16]byte // IPv4 in the first four
	zone   uint32   // interface index of an IPv6 link-local address
	port   uint16
	family uint8 // unix.AF_INET, AF_INET6; anything else has no address
}

func (e endpoint) addrPort() netip.AddrPort {
	switch e.family {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(e.ip[:4])), e.port)
	case unix.AF_INET6:
		ip := netip.AddrFrom16(e.ip).Unmap() // a dual-stack listener's IPv4 peer
		if e.zone != 0 {
			ip = ip.WithZone(zoneName(e.zone))
		}
		return netip.AddrPortFrom(ip, e.port)
	}
	return netip.AddrPort{}
}

func (e endpoint) addr() net.Addr {
	if e.family == unix.AF_INET || e.family == unix.AF_INET6 {
		return net.TCPAddrFromAddrPort(e.addrPort())
	}
	return &net.UnixAddr{Net: "unix", Name: "@"} // as package net shows an unbound one
}

// encode is the endpoint of an address as x/sys has it.
func encode(sa unix.Sockaddr) endpoint {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		e := endpoint{family: unix.AF_INET, port: uint16(sa.Port)}
		copy(e.ip[:], sa.Addr[:])
		return e
	case *unix.SockaddrInet6:
		return endpoint{family: unix.AF_INET6, port: uint16(sa.Port), ip: sa.Addr, zone: sa.ZoneId}
	}
	return endpoint{family: unix.AF_UNIX}
}

// LogValue makes the address only if the line is written.
func (e endpoint) LogValue() slog.Value { return slog.StringValue(e.addr().String()) }

func zoneName(index uint32) string {
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		return i.Name
	}
	return strconv.Itoa(int(index))
}
