package sockets

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestAcceptErrorOfLinuxOnly(t *testing.T) {
	if got := portable(unix.ENONET); got != unix.ENETDOWN {
		t.Errorf("ENONET becomes %v, want ENETDOWN", got)
	}
}
