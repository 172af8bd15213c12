package eddy_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy"
)

func TestStaleSocketFileIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	leaveStale(t, path)
	e := newEngine(t, eddy.Options{Loops: 2})
	ln := listen(t, e, "unix", path, greeter("hello"))
	run(e)
	expect(t, dial(t, ln.Addr()), "hello")
}

// leaveStale does what a program does that is killed.
func leaveStale(t *testing.T, path string) {
	t.Helper()
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	ln.SetUnlinkOnClose(false)
	ln.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Fatal(err)
	}
}

func TestLiveSocketIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	first := newEngine(t, eddy.Options{Loops: 1})
	ln := listen(t, first, "unix", path, greeter("first"))
	run(first)
	second := newEngine(t, eddy.Options{Loops: 1})
	for name, e := range map[string]*eddy.Engine{"another engine": second, "the same engine": first} {
		_, err := e.Listen("unix", path, greeter("second"))
		if !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("%s: %v, want EADDRINUSE", name, err)
		}
		says(t, err, path, "another process listens on this socket")
	}
	expect(t, dial(t, ln.Addr()), "first")
}

func TestOtherFilesAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, eddy.Options{Loops: 1})
	for _, path := range []string{file, dir, link} {
		_, err := e.Listen("unix", path, greeter(""))
		says(t, err, path, "not a socket", "left alone")
	}
	if got, err := os.ReadFile(link); err != nil || string(got) != "precious" {
		t.Errorf("the file has %q, %v", got, err)
	}
}

func TestSocketFileIsRemovedAfterShutdown(t *testing.T) {
	for name, runs := range map[string]bool{"after a run": true, "without one": false} {
		path := filepath.Join(t.TempDir(), "s")
		e := newEngine(t, eddy.Options{Loops: 2})
		listen(t, e, "unix", path, greeter(""))
		if runs {
			run(e)
		}
		if err := e.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the socket file: %v, want it removed", name, err)
		}
	}
}

func TestSocketFileOfSomebodyElseStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	e := newEngine(t, eddy.Options{Loops: 1})
	listen(t, e, "unix", path, greeter(""))
	run(e)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	other, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := e.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the other's socket file: %v, want it left alone", err)
	}
}

// The engine removes its file once, and what comes to stand there later is not its
// own, even if it looks so: a file system gives the number of a removed file to the
// next one. Here a second name of the file itself plays that part.
func TestSocketFileIsRemovedOnce(t *testing.T) {
	dir := t.TempDir()
	path, twin := filepath.Join(dir, "s"), filepath.Join(dir, "twin")
	e := newEngine(t, eddy.Options{Loops: 1})
	ln := listen(t, e, "unix", path, greeter(""))
	run(e)
	if err := os.Link(path, twin); err != nil {
		t.Skipf("no second name: %v", err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(twin, path); err != nil {
		t.Fatal(err)
	}
	if err := e.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the next server's socket file: %v, want it left alone", err)
	}
}

// A server is replaced while the one before it still drains.
func TestNextServerTakesOverTheSocketPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	told := make(chan struct{}, 1)
	before := newEngine(t, eddy.Options{Loops: 1})
	ln := listen(t, before, "unix", path, greeting("old", stubborn{told: told}))
	result := run(before)
	conn := dial(t, ln.Addr())
	expect(t, conn, "old")
	shut := make(chan error, 1)
	go func() { shut <- before.Shutdown(context.Background()) }()
	receive(t, told, "the drain begins")

	for i := range 20 { // until a number is used again, on a file system that does so
		after := newEngine(t, eddy.Options{Loops: 1})
		next := listen(t, after, "unix", path, greeter("new"))
		run(after)
		expect(t, dial(t, next.Addr()), "new")
		if i < 19 {
			cutOff(after)
			continue
		}
		conn.Close()
		if err := receive(t, shut, "the old server ends"); err != nil {
			t.Error(err)
		}
		receive(t, result, "Run ends")
		expect(t, dial(t, next.Addr()), "new")
	}
}
