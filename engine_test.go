package eddy_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/eddynet/eddy"
)

func TestRunTwice(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeter("hello"))
	result := run(e)
	expect(t, dial(t, ln.Addr()), "hello") // it runs
	says(t, e.Run(context.Background()), "Run was called already", "runs once")
	cutOff(e)
	receive(t, result, "Run ends")
	if err := e.Run(context.Background()); err != eddy.ErrServerClosed {
		t.Errorf("Run after the end: %v, want ErrServerClosed", err)
	}
}

func TestAfterTheEnd(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	if err := e.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := e.Run(context.Background()); err != eddy.ErrServerClosed {
		t.Errorf("Run: %v, want ErrServerClosed", err)
	}
	if _, err := e.Listen("tcp", "127.0.0.1:0", greeter("")); err != eddy.ErrServerClosed {
		t.Errorf("Listen: %v, want ErrServerClosed", err)
	}
	if err := e.Dial("tcp", "127.0.0.1:1", greeter(""), time.Second, func(*eddy.Conn, error) {}); err != eddy.ErrServerClosed {
		t.Errorf("Dial: %v, want ErrServerClosed", err)
	}
	if err := e.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown again: %v", err)
	}
}

func TestEngineDials(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 2})
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeter("hello"))
	run(e)
	for range 4 {
		failed := make(chan error, 1)
		heard := make(chan string, 1)
		err := e.Dial("tcp", ln.Addr().String(), listener{heard: heard}.Open, patience, func(_ *eddy.Conn, err error) { failed <- err })
		if err != nil {
			t.Fatal(err)
		}
		if err := receive(t, failed, "the connection is made"); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, heard, "the greeting arrives"); got != "hello" {
			t.Errorf("heard %q", got)
		}
	}
}

// listener passes on what it hears.
type listener struct {
	echo
	heard chan string
}

func (l listener) Open(*eddy.Conn) eddy.Handler { return l }

func (l listener) OnData(c *eddy.Conn, in []byte) int {
	l.heard <- string(in)
	c.Close()
	return len(in)
}

func TestStatsSumTheLoops(t *testing.T) {
	const clients = 20
	e := newEngine(t, eddy.Options{Loops: 3})
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeter("hello"))
	result := run(e)
	for i := range clients {
		conn := dial(t, ln.Addr())
		expect(t, conn, "hello")
		if _, err := io.WriteString(conn, "ping"); err != nil {
			t.Fatal(err)
		}
		expect(t, conn, "ping")
		if i%2 == 0 {
			conn.Close()
		}
	}
	await(t, "the counts are there", func() bool {
		s := e.Stats()
		return s.Accepted == clients && s.Closed == clients/2 && s.Open() == clients/2 &&
			s.BytesRead == clients*4 && s.BytesWritten == clients*9
	})
	cutOff(e)
	receive(t, result, "Run ends")
	if s := e.Stats(); s.Accepted != clients || s.Closed != clients {
		t.Errorf("stats %+v after the end, want all closed", s)
	}
}

// Everything an engine takes, it gives back.
func TestNothingIsLeftBehind(t *testing.T) {
	serve(t) // what the runtime and package net open once
	descriptorsBefore, goroutinesBefore := descriptors(), runtime.NumGoroutine()
	for range 5 {
		serve(t)
	}
	await(t, "goroutines have ended", func() bool { return runtime.NumGoroutine() <= goroutinesBefore })
	await(t, "descriptors are closed", func() bool { return descriptors() <= descriptorsBefore })
}

func serve(t *testing.T) {
	t.Helper()
	e, err := eddy.New(eddy.Options{Loops: 3, DrainGrace: time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	tcp := listen(t, e, "tcp", "127.0.0.1:0", greeter("hello"))
	socket := listen(t, e, "unix", t.TempDir()+"/s", greeter("hello"))
	result := run(e)
	var conns []net.Conn
	for range 5 {
		for _, ln := range []*eddy.Listener{tcp, socket} {
			conn := dial(t, ln.Addr())
			expect(t, conn, "hello")
			conns = append(conns, conn)
		}
	}
	shut := make(chan error, 1)
	go func() { shut <- e.Shutdown(context.Background()) }()
	for _, conn := range conns {
		if _, err := io.Copy(io.Discard, conn); err != nil { // up to the end
			t.Error(err)
		}
		conn.Close()
	}
	if err := receive(t, shut, "Shutdown ends"); err != nil {
		t.Error(err)
	}
	if err := receive(t, result, "Run ends"); err != nil {
		t.Errorf("Run: %v after a clean drain", err)
	}
}

func TestDiscardedEngineLeavesNothingBehind(t *testing.T) {
	before := descriptors()
	e := newEngine(t, eddy.Options{Loops: 3})
	listen(t, e, "tcp", "127.0.0.1:0", greeter(""))
	listen(t, e, "unix", t.TempDir()+"/s", greeter(""))
	if err := e.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if after := descriptors(); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

// For ever is a popular timeout.
func TestTimeoutsOfAllEternity(t *testing.T) {
	const forever = time.Duration(math.MaxInt64)
	e := newEngine(t, eddy.Options{Loops: 1, IdleTimeout: forever, WriteTimeout: forever,
		LingerTimeout: forever, DrainGrace: time.Millisecond, DrainTimeout: forever})
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeter("hello"))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	result := make(chan error, 1)
	go func() { result <- e.Run(ctx) }()
	conn := dial(t, ln.Addr())
	expect(t, conn, "hello")
	for range 3 {
		if _, err := io.WriteString(conn, "ping"); err != nil {
			t.Fatal(err)
		}
		expect(t, conn, "ping")
	}
	cancel()
	if _, err := io.ReadAll(conn); err != nil {
		t.Error(err)
	}
	conn.Close()
	if err := receive(t, result, "Run ends"); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	} else if err != nil {
		t.Errorf("the drain was cut off: %v", err)
	}
}

func TestPing(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 2})
	held, free := make(chan struct{}), make(chan struct{})
	ln := listen(t, e, "tcp", "127.0.0.1:0", holder{held, free}.Open)
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := e.Ping(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("before Run: %v, want the deadline", err)
	}
	result := run(e)
	if err := e.Ping(context.Background()); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	dial(t, ln.Addr())
	receive(t, held, "a loop is held")
	short, cancel = context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	says(t, e.Ping(short), "a loop does not answer")
	close(free)
	if err := e.Ping(context.Background()); err != nil {
		t.Errorf("when it goes round again: %v", err)
	}
	cutOff(e)
	receive(t, result, "Run ends")
	if err := e.Ping(context.Background()); err != eddy.ErrServerClosed {
		t.Errorf("after the end: %v, want ErrServerClosed", err)
	}
}

// holder blocks the loop of a new connection until it is set free.
type holder struct{ held, free chan struct{} }

func (h holder) Open(*eddy.Conn) eddy.Handler {
	h.held <- struct{}{}
	<-h.free
	return echo{}
}
