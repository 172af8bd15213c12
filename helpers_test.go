package eddy_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy"
)

// patience bounds what must happen. No passing test waits it out.
const patience = 10 * time.Second

// newEngine makes an engine, shut down when the test is over.
func newEngine(t *testing.T, options eddy.Options) *eddy.Engine {
	t.Helper()
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	e, err := eddy.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cutOff(e) })
	return e
}

// cutOff ends an engine without waiting for anybody.
func cutOff(e *eddy.Engine) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = e.Shutdown(ctx) // reports what was cut off
}

// run runs the engine. The channel has what Run returned.
func run(e *eddy.Engine) <-chan error {
	result := make(chan error, 1)
	go func() { result <- e.Run(context.Background()) }()
	return result
}

func listen(t *testing.T, e *eddy.Engine, network, address string, p eddy.Protocol) *eddy.Listener {
	t.Helper()
	ln, err := e.Listen(network, address, p)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func dial(t *testing.T, addr net.Addr) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout(addr.Network(), addr.String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it may be closed already
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// expect reads exactly want.
func expect(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		t.Fatalf("read %q, %v, want %q", got[:n], err, want)
	}
}

// receive waits for a value, not for ever.
func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("not after %v: %s", patience, what)
		panic("unreachable")
	}
}

// await looks again and again, for what other goroutines bring about.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not so after %v: %s", patience, what)
		}
	}
}

// greeter is a protocol that says its word to everybody, and echoes.
func greeter(word string) eddy.Protocol { return greeting(word, echo{}) }

// greeting leaves the connection to h after the word.
func greeting(word string, h eddy.Handler) eddy.Protocol {
	return func(c *eddy.Conn) eddy.Handler {
		_, _ = c.WriteString(word)
		return h
	}
}

// stubborn is notified of a shutdown, and stays.
type stubborn struct {
	echo
	told chan struct{}
}

func (s stubborn) OnEvent(_ *eddy.Conn, e eddy.Event) (handled bool) {
	if e == eddy.EventShutdown {
		s.told <- struct{}{}
		return true
	}
	return false
}

// refused reports whether nobody listens on the address.
func refused(addr net.Addr) bool {
	conn, err := net.DialTimeout(addr.Network(), addr.String(), patience)
	if err == nil {
		conn.Close()
	}
	return err != nil
}

// descriptors counts the open ones, portably.
func descriptors() (n int) {
	for fd := range uintptr(1024) {
		if _, err := unix.FcntlInt(fd, unix.F_GETFD, 0); err == nil {
			n++
		}
	}
	return n
}

// says holds that an error has all the parts in its text.
func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q, want it to say %q", err, part)
		}
	}
}
