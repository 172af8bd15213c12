package leak

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { Main(m) }

func TestLeaksFailTheTests(t *testing.T) {
	now := count()
	if check(now, 0) != 0 {
		t.Error("failed without a leak")
	}
	if check(counts{now.goroutines - 1, now.sockets}, 0) == 0 {
		t.Error("passed with a leaked goroutine")
	}
	if check(counts{now.goroutines, now.sockets - 1}, 0) == 0 {
		t.Error("passed with a leaked socket")
	}
}

func TestSocketsAreFound(t *testing.T) {
	before := len(sockets())
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(sockets()) - before; n != 2 {
		t.Errorf("%d sockets found, want 2", n)
	}
	unix.Close(pair[0])
	unix.Close(pair[1])
	if n := len(sockets()); n != before {
		t.Errorf("%d sockets found after they were closed, %d before", n, before)
	}
}
