package sockets

import (
	"log/slog"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// Addr is a peer's address in the least space: a connection carries one.
type Addr struct {
	ip     [16]byte // IPv4 in the first four
	zone   uint32   // interface index of an IPv6 link-local address
	port   uint16
	family uint8 // unix.AF_INET, AF_INET6; anything else has no address
}

// AddrPort is the address of a TCP peer, the zero value of any other.
func (a Addr) AddrPort() netip.AddrPort {
	switch a.family {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(a.ip[:4])), a.port)
	case unix.AF_INET6:
		ip := netip.AddrFrom16(a.ip).Unmap() // a dual-stack listener's IPv4 peer
		if a.zone != 0 {
			ip = ip.WithZone(zoneName(a.zone))
		}
		return netip.AddrPortFrom(ip, a.port)
	}
	return netip.AddrPort{}
}

// NetAddr is a *net.TCPAddr or, without an IP address, a *net.UnixAddr.
func (a Addr) NetAddr() net.Addr {
	if a.family == unix.AF_INET || a.family == unix.AF_INET6 {
		return net.TCPAddrFromAddrPort(a.AddrPort())
	}
	return &net.UnixAddr{Net: "unix", Name: "@"} // as package net shows an unbound one
}

// FromSockaddr converts an address of x/sys.
func FromSockaddr(sa unix.Sockaddr) Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		a := Addr{family: unix.AF_INET, port: uint16(sa.Port)}
		copy(a.ip[:], sa.Addr[:])
		return a
	case *unix.SockaddrInet6:
		return Addr{family: unix.AF_INET6, port: uint16(sa.Port), ip: sa.Addr, zone: sa.ZoneId}
	}
	return Addr{family: unix.AF_UNIX}
}

// FromNetAddr converts a *net.TCPAddr. Any other address has no more than its kind.
func FromNetAddr(addr net.Addr) Addr {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return Addr{family: unix.AF_UNIX}
	}
	from := tcp.AddrPort()
	ip := from.Addr().Unmap()
	if ip.Is4() {
		a := Addr{family: unix.AF_INET, port: from.Port()}
		copy(a.ip[:], ip.AsSlice())
		return a
	}
	a := Addr{family: unix.AF_INET6, port: from.Port(), ip: ip.As16()}
	if zone, err := net.InterfaceByName(ip.Zone()); err == nil {
		a.zone = uint32(zone.Index)
	}
	return a
}

// IsSet reports whether a is the address of anything.
func (a Addr) IsSet() bool { return a.family != 0 }

// LogValue makes the address only if the line is written.
func (a Addr) LogValue() slog.Value { return slog.StringValue(a.NetAddr().String()) }

func zoneName(index uint32) string {
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		return i.Name
	}
	return strconv.Itoa(int(index))
}
