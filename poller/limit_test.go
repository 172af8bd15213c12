//go:build unix

package poller_test

import (
	"errors"
	"testing"

	"github.com/eddynet/eddy/poller"
	"golang.org/x/sys/unix"
)

// Open fails with EMFILE and leaks no descriptor, whichever of its descriptors fails.
func TestOpenWithTooFewDescriptors(t *testing.T) {
	open(t) // lets the runtime open its own descriptors first
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for available := range 4 {
		used, limit := openDescriptors(), before
		lower(&limit.Cur, limitFor(available))
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
			t.Errorf("%d descriptors after Open with %d available, %d before", now, available, used)
		}
	}
	if failed == 0 {
		t.Error("Open never failed: the test is void")
	}
}

// limitFor returns the RLIMIT_NOFILE that leaves so many descriptors available.
func limitFor(available int) int {
	for fd := 0; ; fd++ {
		if !isOpen(fd) {
			if available == 0 {
				return fd
			}
			available--
		}
	}
}

func isOpen(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}

// lower sets a limit, whose type differs by platform.
func lower[T int64 | uint64](limit *T, to int) { *limit = T(to) }
