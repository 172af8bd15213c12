package sockets

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestAcceptErrorsAreClassified(t *testing.T) {
	for errno, want := range map[unix.Errno]AcceptResult{
		unix.EAGAIN:       AcceptDone,
		unix.EINTR:        AcceptNext,
		unix.ECONNABORTED: AcceptNext,
		unix.EPROTO:       AcceptNext,
		unix.ENETDOWN:     AcceptNext,
		unix.ENETUNREACH:  AcceptNext,
		unix.EHOSTDOWN:    AcceptNext,
		unix.EHOSTUNREACH: AcceptNext,
		unix.ENOPROTOOPT:  AcceptNext,
		unix.EOPNOTSUPP:   AcceptNext,
		unix.EPERM:        AcceptNext,
		unix.EMFILE:       AcceptWait,
		unix.ENFILE:       AcceptWait,
		unix.ENOBUFS:      AcceptWait,
		unix.ENOMEM:       AcceptWait,
		unix.EBADF:        AcceptWait, // and whatever else: never a spin
		unix.EINVAL:       AcceptWait,
		unix.ENOTSOCK:     AcceptWait,
	} {
		if got := ClassifyAccept(errno); got != want {
			t.Errorf("%v: %d, want %d", errno, got, want)
		}
	}
}
