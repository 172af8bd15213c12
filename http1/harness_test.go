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
	"github.com/eddynet/eddy/eddytest"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/internal/testlayer"
)

// patience bounds every wait of these tests. None of them expects to reach it.
const patience = 30 * time.Second

// via is how clients reach a server.
type via struct {
	memory  bool // without sockets, and with a clock that the test moves
	layered bool // under a layer that changes and cuts what passes
	tls     bool // under TLS
	window  int  // in memory, how many bytes the server can write ahead; 0: all
}

// server serves one handler: an engine on a free port of the loopback, or in memory.
type server struct {
	t      testing.TB
	via    via
	http   *http1.Server
	memory *eddytest.Server // nil for an engine
	addr   string
	engine *eddy.Engine
	cancel context.CancelFunc
	ended  chan error
}

// serve runs a server until the test is over, and expects a clean end of it.
func serve(t testing.TB, h http1.Handler, o http1.Options) *server {
	t.Helper()
	return serveWith(t, h, o, eddy.Options{})
}

// inMemory is serve without sockets: the clock stands still but for pass and quiet.
func inMemory(t testing.TB, h http1.Handler, o http1.Options) *server {
	t.Helper()
	return serveVia(t, via{memory: true}, h, o, eddy.Options{})
}

func serveWith(t testing.TB, h http1.Handler, o http1.Options, e eddy.Options) *server {
	t.Helper()
	return serveVia(t, via{}, h, o, e)
}

func serveVia(t testing.TB, v via, h http1.Handler, o http1.Options, e eddy.Options) *server {
	t.Helper()
	p, err := http1.New(h, o)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, via: v, http: p}
	open := p.Open
	if v.layered {
		open = testlayer.Under(open, 1)
	}
	if v.tls {
		open = underTLS(t, open)
	}
	e.Logger = testLogger()
	if v.memory {
		s.memory = eddytest.NewServerOptions(t, open, e)
	} else {
		s.listen(open, e)
	}
	return s
}

// listen has an engine serve until the test is over.
func (s *server) listen(p eddy.Protocol, e eddy.Options) {
	s.t.Helper()
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
		s.t.Fatal(err)
	}
	ln, err := engine.Listen("tcp", "127.0.0.1:0", p)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.addr, s.engine, s.cancel, s.ended = ln.Addr().String(), engine, cancel, make(chan error, 1)
	go func() { s.ended <- engine.Run(ctx) }()
	s.t.Cleanup(s.stop)
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
	c.t, c.server = s.t, s
	s.t.Cleanup(func() { conn.Close() })
	return c
}

// connection is a client's end.
type connection interface {
	io.ReadWriteCloser
	CloseWrite() error
}

func (s *server) connect() (connection, error) {
	conn, err := s.connectBelow()
	if s.via.layered && err == nil {
		conn = testlayer.Client{ReadWriteCloser: conn}
	}
	if s.via.tls && err == nil {
		return newSecure(s.memory, conn)
	}
	return conn, err
}

func (s *server) connectBelow() (connection, error) {
	if s.memory != nil {
		conn := s.memory.Dial()
		if s.via.window > 0 {
			conn.SetWindow(s.via.window)
		}
		return conn, nil
	}
	conn, err := net.DialTimeout("tcp", s.addr, patience)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil // writes leave at once: Go sets TCP_NODELAY
}

// pass lets time pass.
func (s *server) pass(d time.Duration) {
	if s.memory != nil {
		s.memory.Advance(d)
	} else {
		time.Sleep(d)
	}
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
	if conn := c.memory(); conn != nil {
		c.server.pass(d)
		if got := conn.Received(); c.r.Buffered() > 0 || got != "" || conn.EOF() {
			c.t.Fatalf("got %q, end %v, where nothing was to come", got, conn.EOF())
		}
		return
	}
	if err := c.socket().SetReadDeadline(time.Now().Add(d)); err != nil {
		c.t.Fatal(err)
	}
	if b, err := c.r.ReadByte(); err == nil {
		c.t.Fatalf("got %q, where nothing was to come", b)
	} else if e, ok := err.(net.Error); !ok || !e.Timeout() {
		c.t.Fatalf("got %v, where nothing was to come", err)
	}
	if err := c.socket().SetReadDeadline(time.Now().Add(patience)); err != nil {
		c.t.Fatal(err)
	}
}

// below is the connection without its layer.
func (c *client) below() connection {
	if s, ok := c.conn.(*secure); ok {
		return s.belowTLS
	}
	if layered, ok := c.conn.(testlayer.Client); ok {
		return layered.ReadWriteCloser.(connection)
	}
	return c.conn
}

func (c *client) socket() *net.TCPConn { return c.below().(*net.TCPConn) }

// memory is nil for a socket.
func (c *client) memory() *eddytest.Conn {
	conn, _ := c.below().(*eddytest.Conn)
	return conn
}

// breakOff ends the connection with a reset.
func (c *client) breakOff() {
	c.t.Helper()
	if conn := c.memory(); conn != nil {
		conn.Reset()
		return
	}
	if err := c.socket().SetLinger(0); err != nil {
		c.t.Error(err)
	}
	c.conn.Close()
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
