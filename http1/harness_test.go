package http1_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// patience bounds every wait of these tests. None of them expects to reach it.
const patience = 10 * time.Second

// server is an engine that serves one handler on a free port of the loopback.
type server struct {
	t      testing.TB
	addr   string
	engine *eddy.Engine
	http   *http1.Server
	cancel context.CancelFunc
	ended  chan error
}

// serve runs a server until the test is over, and expects a clean end of it.
func serve(t testing.TB, h http1.Handler, o http1.Options) *server {
	return serveWith(t, h, o, eddy.Options{})
}

func serveWith(t testing.TB, h http1.Handler, o http1.Options, e eddy.Options) *server {
	t.Helper()
	e.Logger = testLogger()
	if e.Loops == 0 {
		e.Loops = 2
	}
	if e.DrainGrace == 0 {
		e.DrainGrace = 10 * time.Millisecond
	}
	if e.DrainTimeout == 0 {
		e.DrainTimeout = patience
	}
	engine, err := eddy.New(e)
	if err != nil {
		t.Fatal(err)
	}
	p, err := http1.New(h, o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := engine.Listen("tcp", "127.0.0.1:0", p.Open)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{t: t, addr: ln.Addr().String(), engine: engine, http: p, cancel: cancel, ended: make(chan error, 1)}
	go func() { s.ended <- engine.Run(ctx) }()
	t.Cleanup(s.stop)
	return s
}

// stop drains the server, which must end well. It may be called twice.
func (s *server) stop() {
	s.t.Helper()
	s.cancel()
	select {
	case err := <-s.ended:
		s.ended <- nil
		if err != nil {
			s.t.Errorf("Run returned %v", err)
		}
	case <-time.After(2 * patience):
		s.t.Errorf("the server did not end")
	}
}

// dial connects. The connection has a deadline, and is closed when the test is over.
func (s *server) dial() *client {
	s.t.Helper()
	conn, err := s.connect()
	if err != nil {
		s.t.Fatal(err)
	}
	c := newClient(conn)
	c.t = s.t
	s.t.Cleanup(func() { conn.Close() })
	return c
}

func (s *server) connect() (*net.TCPConn, error) {
	conn, err := net.DialTimeout("tcp", s.addr, patience)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil // writes leave at once: Go sets TCP_NODELAY
}

// get sends a GET with these extra fields on a connection of its own, and returns the
// answer.
func (s *server) get(target, fields string) *answer {
	s.t.Helper()
	c := s.dial()
	c.send("GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n")
	return c.answer("GET")
}

// send sends s, whole.
func (c *client) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, s); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// answer reads the answer to a request with that method, strictly.
func (c *client) answer(method string) *answer {
	c.t.Helper()
	a, err := c.read(method)
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	return a
}

// closed expects an orderly end of the connection, with nothing before it.
func (c *client) closed() {
	c.t.Helper()
	if err := c.readEnd(); err != nil {
		c.t.Fatal(err)
	}
}

// quiet expects that nothing comes for a while, and that the connection stays open.
func (c *client) quiet(d time.Duration) {
	c.t.Helper()
	if err := c.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		c.t.Fatal(err)
	}
	if b, err := c.r.ReadByte(); err == nil {
		c.t.Fatalf("got %q, where nothing was to come", b)
	} else if e, ok := err.(net.Error); !ok || !e.Timeout() {
		c.t.Fatalf("got %v, where nothing was to come", err)
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		c.t.Fatal(err)
	}
}

// await waits for a value, within patience.
func await[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
	panic("unreachable")
}

// expect compares.
func expect[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// get is a GET with nothing but a Host field.
func get(target string) string { return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n" }

// write is a handler that answers with s.
func write(s string) http1.Handler {
	return func(w *http1.Response, _ *http1.Request) { w.WriteString(s) }
}

// testLogger drops what the engine logs, which tests provoke on purpose, unless
// EDDY_TEST_LOG is set.
func testLogger() *slog.Logger {
	if os.Getenv("EDDY_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}
