package sockets

import (
	"encoding/binary"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The sockets here are non-blocking, so these calls return at once: RawSyscall
// spares them the hand-shake with Go's scheduler that an ordinary Syscall makes in
// case it blocks, about a tenth of a small request's time.

// recvfrom(2) and sendto(2) do less than read(2) and write(2), which have to find out
// that they have a socket: two per cent of a small request.

// Read is recvfrom(2).
func Read(fd int, p []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	return count(n, errno)
}

// Write is sendto(2). With more set, further bytes or CloseWrite follow at once, and the
// last of p leaves with them: the response and the FIN in one segment (MSG_MORE).
func Write(fd int, p []byte, more bool) (int, unix.Errno) {
	flags := uintptr(unix.MSG_NOSIGNAL)
	if more {
		flags |= unix.MSG_MORE
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
	return count(n, errno)
}

// CloseWrite is shutdown(2) of the output.
func CloseWrite(fd int) error {
	if _, _, errno := unix.RawSyscall(unix.SYS_SHUTDOWN, uintptr(fd), unix.SHUT_WR, 0); errno != 0 {
		return errno
	}
	return nil
}

func count(n uintptr, errno unix.Errno) (int, unix.Errno) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// CanSendFile reports whether SendFile works on this system.
const CanSendFile = true

// SendFile is sendfile(2). It may wait for the disk, and so is an ordinary Syscall. It
// returns 0 at the end of the file.
func SendFile(fd int, f *os.File, offset, n int64) (int64, unix.Errno) {
	m, err := unix.Sendfile(fd, int(f.Fd()), &offset, int(n))
	errno, _ := err.(unix.Errno) // x/sys returns no other type here
	return int64(max(m, 0)), errno
}

// Accept takes a connection off the queue of a listener. The options of the
// listener, such as TCP_NODELAY, are the connection's too (tcp(7)).
func Accept(fd int) (int, Addr, unix.Errno) {
	var raw unix.RawSockaddrAny
	size := uint32(unsafe.Sizeof(raw))
	conn, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd),
		uintptr(unsafe.Pointer(&raw)), uintptr(unsafe.Pointer(&size)),
		unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	if errno != 0 {
		return -1, Addr{}, portable(errno)
	}
	return int(conn), decode(&raw), 0
}

// portable maps an error that accept4 returns on Linux only to one that accept(2)
// treats alike and every platform has.
func portable(errno unix.Errno) unix.Errno {
	if errno == unix.ENONET {
		return unix.ENETDOWN
	}
	return errno
}

// decode reads the kernel's form of an address.
func decode(raw *unix.RawSockaddrAny) Addr {
	a := Addr{family: uint8(raw.Addr.Family)}
	switch raw.Addr.Family {
	case unix.AF_INET:
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(raw))
		copy(a.ip[:], sa.Addr[:])
		a.port = networkOrder(&sa.Port)
	case unix.AF_INET6:
		sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(raw))
		a.ip = sa.Addr
		a.port = networkOrder(&sa.Port)
		a.zone = sa.Scope_id
	}
	return a
}

func networkOrder(port *uint16) uint16 {
	return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(port))[:])
}
