package eddy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy"
)

// opened is a listener as somebody else would open it, and its socket as a file.
func opened(t *testing.T, network, address string) (net.Listener, *os.File) {
	t.Helper()
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln, fileOf(t, ln)
}

func fileOf(t *testing.T, from any) *os.File {
	t.Helper()
	f, err := from.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func listenFile(t *testing.T, e *eddy.Engine, f *os.File, p eddy.Protocol) *eddy.Listener {
	t.Helper()
	ln, err := e.ListenFile(f, p)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func TestListenFileServesOnAllLoops(t *testing.T) {
	const loops = 3
	for network, address := range map[string]string{
		"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0", "unix": filepath.Join(t.TempDir(), "s"),
	} {
		t.Run(network, func(t *testing.T) {
			from, f := opened(t, network, address)
			e := newEngine(t, eddy.Options{Loops: loops})
			p := newSpreading()
			ln := listenFile(t, e, f, p.Open)
			if got, want := ln.Addr().String(), from.Addr().String(); got != want {
				t.Errorf("Addr %v, want %v", got, want)
			}
			if err := f.Close(); !errors.Is(err, os.ErrClosed) {
				t.Errorf("the file is left open (%v): clients would queue up at it after the drain", err)
			}
			run(e)
			for range 2 * loops {
				expect(t, dial(t, ln.Addr()), "hello")
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			for i := range loops {
				if p.loops[i] != 2 {
					t.Errorf("%d connections on loop %d, want 2: %v", p.loops[i], i, p.loops)
				}
			}
		})
	}
}

func TestListenFileRefusesWhatDoesNotListen(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	_, listening := opened(t, "tcp4", "127.0.0.1:0")
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	ln, closed := opened(t, "tcp4", "127.0.0.1:0")
	closed.Close()
	plain, err := os.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for name, c := range map[string]struct {
		f    *os.File
		p    eddy.Protocol
		says string
	}{
		"no file":       {nil, greeter(""), "the file was nil"},
		"no protocol":   {listening, nil, "needs a protocol"},
		"a closed file": {closed, greeter(""), "closed"},
		"a folder":      {plain, greeter(""), "not a socket"},
		"UDP":           {fileOf(t, udp), greeter(""), "not a stream socket"},
		"a connection":  {fileOf(t, dial(t, ln.Addr())), greeter(""), "does not listen"},
	} {
		before := descriptors()
		_, err := e.ListenFile(c.f, c.p)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		says(t, err, "eddy: ", c.says)
		if after := descriptors(); after != before {
			t.Errorf("%s: %d descriptors, %d before", name, after, before)
		}
	}
	cutOff(e)
	if _, err := e.ListenFile(listening, greeter("")); err != eddy.ErrServerClosed {
		t.Errorf("after the end: %v, want ErrServerClosed", err)
	}
}

// Two engines stand for two processes: what one does not accept any more, the other
// does, and no client notices.
func TestSharedListenerIsLeftToTheOthers(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			address := "127.0.0.1:0"
			if network == "unix" {
				address = filepath.Join(t.TempDir(), "s")
			}
			from, f := opened(t, network, address)
			first := newEngine(t, eddy.Options{Loops: 2, DrainGrace: time.Millisecond})
			second := newEngine(t, eddy.Options{Loops: 2, DrainGrace: time.Millisecond})
			listenFile(t, first, f, greeter("hello"))
			listenFile(t, second, fileOf(t, from), greeter("hello"))
			firstEnds, secondEnds := run(first), run(second)
			for range 20 {
				visit(t, from.Addr())
			}
			if err := first.Shutdown(context.Background()); err != nil {
				t.Fatal(err)
			}
			receive(t, firstEnds, "Run ends")
			for range 20 {
				visit(t, from.Addr())
			}
			if err := second.Shutdown(context.Background()); err != nil {
				t.Fatal(err)
			}
			receive(t, secondEnds, "Run ends")

			// While somebody holds the socket, clients wait for the next who serves it.
			conn := dial(t, from.Addr())
			third := newEngine(t, eddy.Options{Loops: 1})
			listenFile(t, third, fileOf(t, from), greeter("hello"))
			run(third)
			expect(t, conn, "hello")
		})
	}
}

// visit hears the greeting, and goes.
func visit(t *testing.T, addr net.Addr) {
	t.Helper()
	conn := dial(t, addr)
	expect(t, conn, "hello")
	conn.Close()
}

// A closed listener is not polled any more, although the socket lives on.
func TestClosedSharedListenerDoesNotSpin(t *testing.T) {
	from, f := opened(t, "tcp4", "127.0.0.1:0")
	e := newEngine(t, eddy.Options{Loops: 1})
	ln := listenFile(t, e, f, greeter("hello"))
	run(e)
	expect(t, dial(t, from.Addr()), "hello")
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.Ping(context.Background()); err != nil { // the loop has closed it
		t.Fatal(err)
	}
	waiting := dial(t, from.Addr()) // in the queue, which stays readable
	before := processorTime(t)
	time.Sleep(400 * time.Millisecond)
	if used := processorTime(t) - before; used > 100*time.Millisecond {
		t.Errorf("%v of processor time in 400 ms of idleness", used)
	}
	other, err := from.Accept()
	if err != nil {
		t.Fatal(err)
	}
	other.Close()
	if got, err := io.ReadAll(waiting); err != nil || len(got) > 0 {
		t.Errorf("got %q, %v from a listener that was closed here", got, err)
	}
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// os.File.Fd makes a socket block for all who share it, and os/exec calls it. A loop
// that accepts when nobody is there, as in a drain, or when another process was faster,
// is not held nevertheless.
func TestSharedListenerThatWasMadeBlocking(t *testing.T) {
	from, f := opened(t, "tcp4", "127.0.0.1:0")
	e := newEngine(t, eddy.Options{Loops: 1})
	ln := listenFile(t, e, f, greeter("hello"))
	run(e)
	expect(t, dial(t, from.Addr()), "hello")
	fileOf(t, from).Fd()
	t.Cleanup(func() { dial(t, from.Addr()) }) // would set a held loop free
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := e.Ping(ctx); err != nil {
		t.Error(err)
	}
}

func TestInheritedSocketFileStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	_, f := opened(t, "unix", path)
	e := newEngine(t, eddy.Options{Loops: 1})
	ln := listenFile(t, e, f, greeter("hello"))
	result := run(e)
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	receive(t, result, "Run ends")
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the file of a socket that somebody else has bound: %v", err)
	}
}

// activated is what the child process of the next test does.
func activated() error {
	files, err := eddy.ActivationFiles()
	if err != nil {
		return err
	}
	var names []string
	e, err := eddy.New(eddy.Options{Loops: 1, Logger: slog.New(slog.DiscardHandler), DrainGrace: time.Millisecond})
	if err != nil {
		return err
	}
	for _, f := range files {
		names = append(names, f.Name())
		if _, err := e.ListenFile(f, greeter("activated")); err != nil {
			return err
		}
	}
	fmt.Printf("names %q, left %q\n", names, os.Getenv("LISTEN_PID")+os.Getenv("LISTEN_FDS")+os.Getenv("LISTEN_FDNAMES"))
	again, err := eddy.ActivationFiles()
	if err != nil || again != nil {
		return fmt.Errorf("a second call: %v, %v, want nothing", again, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return e.Run(ctx) // serves the queue
}

func TestActivationFiles(t *testing.T) {
	if os.Getenv("EDDY_TEST_ACTIVATION") != "" {
		if err := activated(); err != nil {
			t.Fatal(err)
		}
		return
	}
	ln, first := opened(t, "tcp4", "127.0.0.1:0")
	_, second := opened(t, "tcp4", "127.0.0.1:0")
	conn := dial(t, ln.Addr())
	// The shell becomes the program, whose number it knows.
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, os.Args[0], "-test.run=^TestActivationFiles$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), "EDDY_TEST_ACTIVATION=1", "LISTEN_FDS=2", "LISTEN_FDNAMES=web")
	cmd.ExtraFiles = []*os.File{first, second}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	expect(t, conn, "activated")
	conn.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, &out)
	}
	if want := `names ["web" "LISTEN_FD_4"], left ""`; !strings.Contains(out.String(), want) {
		t.Errorf("the program says %s, want %s", &out, want)
	}
}

func TestNoActivationFiles(t *testing.T) {
	for _, pid := range []string{"", "1"} { // not started so; meant for the parent
		t.Setenv("LISTEN_PID", pid)
		t.Setenv("LISTEN_FDS", "1")
		if files, err := eddy.ActivationFiles(); files != nil || err != nil {
			t.Errorf("LISTEN_PID %q: %v, %v, want nothing", pid, files, err)
		}
	}
	for _, fds := range []string{"x", "-1", ""} {
		t.Setenv("LISTEN_PID", fmt.Sprint(os.Getpid()))
		t.Setenv("LISTEN_FDS", fds)
		_, err := eddy.ActivationFiles()
		says(t, err, fmt.Sprintf("LISTEN_FDS is %q", fds), "number of sockets")
	}
}
