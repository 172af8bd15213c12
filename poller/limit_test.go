//go:build unix

package poller_test

import (
	"errors"
	"testing"

	"github.com/eddynet/eddy/poller"
	"golang.org/x/sys/unix"
)

// Open fails with EMFILE and leaks no descriptor, whichever of its own is missing.
func TestOpenWithTooFewDescriptors(t *testing.T) {
	open(t) // the runtime opens descriptors of its own before
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for room := range 4 {
		used, limit := openDescriptors(), before
		lower(&limit.Cur, lowest(room))
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		p, err := poller.Open()
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Fatal(err)
		}
		switch {
		case errors.Is(err, unix.EMFILE):
			failed++
		case err != nil:
			t.Errorf("Open: %v, want EMFILE", err)
		default:
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
		if now := openDescriptors(); now != used {
			t.Errorf("%d descriptors after Open with room for %d, %d before", now, room, used)
		}
	}
	if failed == 0 {
		t.Error("Open needs no descriptors: this shows nothing")
	}
}

// lowest is a limit of descriptors that leaves room for so many.
func lowest(room int) int {
	for fd := 0; ; fd++ {
		if !isOpen(fd) {
			if room == 0 {
				return fd
			}
			room--
		}
	}
}

func isOpen(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}

// lower sets a limit, whose type differs from system to system.
func lower[T int64 | uint64](limit *T, to int) { *limit = T(to) }
