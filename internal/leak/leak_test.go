package leak

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { Main(m) }

func TestWhatIsLeftFailsTheTests(t *testing.T) {
	now := count()
	if verdict(now, 0) != 0 {
		t.Error("failed though nothing is left")
	}
	if verdict(counts{now.goroutines - 1, now.sockets}, 0) == 0 {
		t.Error("passed though a goroutine is left")
	}
	if verdict(counts{now.goroutines, now.sockets - 1}, 0) == 0 {
		t.Error("passed though a socket is left")
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
