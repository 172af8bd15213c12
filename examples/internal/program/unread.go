package program

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// StartUnread is Start with a pipe without a reader as standard error. The pipe is
// filled after a line with that prefix, which StartUnread returns without it.
func StartUnread(t testing.TB, prefix string, args ...string) (p *Program, line string) {
	t.Helper()
	// A named pipe is opened several times, so that the program's end is not O_NONBLOCK.
	path := filepath.Join(t.TempDir(), "stderr")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(mode int) *os.File {
		f, err := os.OpenFile(path, mode, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() }) // fails if it is closed already
		return f
	}
	reader := open(os.O_RDONLY | unix.O_NONBLOCK)
	stderr := open(os.O_WRONLY)
	p = prepare(t, args)
	p.cmd.Stderr = stderr
	p.start()
	_ = stderr.Close() // inherited by the program

	if err := reader.SetReadDeadline(time.Now().Add(Patience)); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
			fill(t, path)
			return p, rest
		}
	}
	t.Fatalf("no line on stderr begins with %q: %v", prefix, lines.Err())
	return nil, ""
}

// fill writes to a pipe until EAGAIN.
func fill(t testing.TB, path string) {
	t.Helper()
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	for _, size := range []int{os.Getpagesize(), 1} {
		for err = nil; err == nil || err == unix.EINTR; {
			_, err = unix.Write(fd, make([]byte, size))
		}
		if err != unix.EAGAIN {
			t.Fatalf("fill the pipe: %v", err)
		}
	}
}
