package sockets

import "golang.org/x/sys/unix"

// The flags of a TCP header, and where they stand (RFC 9293, 3.1).
const (
	tcpFlagsAt = 13
	tcpRST     = 0x04
	tcpACK     = 0x10
)

// HoldOff makes the kernel drop requests for new connections of a TCP listener, so that
// none joins the queue between the last accept and close, which would reset it: a
// client whose first packet is dropped asks again, a second later, and is refused or
// finds another listener. Handshakes that are under way go on. Accepted connections
// inherit the filter, of which they notice nothing: their packets have ACK or RST. It
// reports whether the kernel does so. Otherwise the gap stays as it is, some microseconds.
func HoldOff(fd int) bool {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: tcpFlagsAt},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: tcpACK | tcpRST, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1<<32 - 1}, // all of the packet
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program) == nil
}
