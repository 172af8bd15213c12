package nethttp_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/internal/leak"
	"github.com/eddynet/eddy/nethttp"
)

func TestMain(m *testing.M) { leak.Main(m) }

// patience bounds every wait of these tests. None of them expects to reach it.
const patience = 30 * time.Second

// server is an engine that serves on a free port of the loopback.
type server struct {
	t      testing.TB
	addr   string
	engine *eddy.Engine
	cancel context.CancelFunc
	ended  chan error
}

// serveHandler runs a net/http handler on the engine until the test is over.
func serveHandler(t testing.TB, h http.Handler, o http1.Options) *server {
	t.Helper()
	o.ServerName = "-"
	return serve(t)(nethttp.New(h, o))
}

// serve runs the server that a constructor returns until the test is over, and expects a
// clean end of it.
func serve(t testing.TB) func(*http1.Server, error) *server {
	return func(p *http1.Server, err error) *server {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return serveProtocol(t, p.Open)
	}
}

func serveProtocol(t testing.TB, p eddy.Protocol) *server {
	t.Helper()
	engine, err := eddy.New(eddy.Options{
		Logger: testLogger(), Loops: 2, DrainGrace: 10 * time.Millisecond, DrainTimeout: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := engine.Listen("tcp", "127.0.0.1:0", p)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{t: t, addr: ln.Addr().String(), engine: engine, cancel: cancel, ended: make(chan error, 1)}
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

// client is one connection. It has a deadline, and is closed when the test is over.
type client struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

func (s *server) dial() *client {
	s.t.Helper()
	conn, r := dialBoth(s.t, s.addr)
	return &client{s.t, conn, r}
}

// send sends s, whole.
func (c *client) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, s); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// answer is an answer as it was read.
type answer struct {
	status int
	header http.Header
	body   string
}

// answer reads the answer to a request with that method.
func (c *client) answer(method string) answer {
	c.t.Helper()
	a, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(a.Body)
	if err != nil {
		c.t.Fatalf("no whole answer: %v", err)
	}
	return answer{a.StatusCode, a.Header, string(body)}
}

// closed expects an orderly end of the connection, with nothing before it.
func (c *client) closed() {
	c.t.Helper()
	if _, err := c.r.ReadByte(); err != io.EOF {
		c.t.Fatalf("got %v, want the end", err)
	}
}

// get sends a GET on a connection of its own, and returns the answer.
func (s *server) get(target string) answer {
	s.t.Helper()
	c := s.dial()
	c.send(get(target))
	return c.answer("GET")
}

// get is a GET with nothing but a Host field.
func get(target string) string { return to("GET", target) }

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

func nothing(*http1.Response, *http1.Request) {}

// pattern is n bytes that show where one is missing.
func pattern(n int) []byte {
	p := make([]byte, 0, n+8)
	for i := 0; len(p) < n; i++ {
		p = append(p, byte(i), byte(i>>8), byte(i>>16), byte(i*7))
	}
	return p[:n]
}

// poolGoroutines counts the goroutines of all pools.
func poolGoroutines() int {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), "http1.(*Pool).work(")
}

// awaitPools waits until no more than n goroutines of pools are left: for much less time
// than they wait for work.
func awaitPools(t *testing.T, n int) {
	t.Helper()
	for give := time.Now().Add(patience / 4); poolGoroutines() > n; time.Sleep(time.Millisecond) {
		if time.Now().After(give) {
			t.Fatalf("%d goroutines are left, of which %d were there before", poolGoroutines(), n)
		}
	}
}

// testLogger drops what the engine logs, which tests provoke on purpose, unless
// EDDY_TEST_LOG is set.
func testLogger() *slog.Logger {
	if os.Getenv("EDDY_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}
