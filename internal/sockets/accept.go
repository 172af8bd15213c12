package sockets

import "golang.org/x/sys/unix"

// AcceptResult is the consequence of an accept call.
type AcceptResult uint8

const (
	AcceptNext AcceptResult = iota // this connection is accepted or lost, the next may come
	AcceptDone                     // the queue is empty
	AcceptWait                     // nothing can be accepted for a while
)

// ClassifyAccept returns the consequence of an error of accept4. None ends the engine.
func ClassifyAccept(errno unix.Errno) AcceptResult {
	switch errno {
	case unix.EAGAIN:
		return AcceptDone
	case unix.EINTR, unix.ECONNABORTED:
		// A signal; a client that left the queue before its turn.
		return AcceptNext
	case unix.EPROTO, unix.ENETDOWN, unix.ENETUNREACH, unix.EHOSTDOWN, unix.EHOSTUNREACH,
		unix.ENOPROTOOPT, unix.EOPNOTSUPP, unix.EPERM:
		// Errors of the new connection's network, or a firewall: accept(2) says to go on
		// as after EAGAIN, and the connection is off the queue.
		return AcceptNext
	}
	// EMFILE, ENFILE, ENOBUFS, ENOMEM: short of descriptors or memory; the queue
	// stays as it is. The loop must not busy-loop on any other error either.
	return AcceptWait
}

// Shortage is the advice for an error of accept after which to wait.
func Shortage(errno unix.Errno) string {
	switch errno {
	case unix.EMFILE:
		return "no file descriptor left: raise ulimit -n or lower Options.MaxConns"
	case unix.ENFILE:
		return "the system's file table is full: raise fs.file-max or lower Options.MaxConns"
	}
	return "the kernel refuses for now"
}
