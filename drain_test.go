package eddy_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/eddynet/eddy"
)

func TestShutdownBeforeRun(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 2})
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeter(""))
	if err := e.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !refused(ln.Addr()) {
		t.Error("somebody still listens")
	}
}

// There is nothing to cut off, so there is nothing to report.
func TestShutdownOfAnEndedEngineWithAnEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	e := newEngine(t, eddy.Options{Loops: 1})
	for i := range 100 { // each a matter of chance, if it is one
		if err := e.Shutdown(ctx); err != nil {
			t.Fatalf("Shutdown %d: %v", i, err)
		}
	}
}

func TestCancelledContextDrains(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 2, DrainGrace: 10 * time.Millisecond})
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeter("hello"))
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- e.Run(ctx) }()
	conn := dial(t, ln.Addr())
	expect(t, conn, "hello")
	cancel()
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("the idle connection: %v, want an orderly end", err)
	}
	conn.Close()
	if err := receive(t, result, "Run ends"); err != nil {
		t.Errorf("Run: %v after a clean drain", err)
	}
	if !refused(ln.Addr()) {
		t.Error("somebody still listens")
	}
}

// Whoever is in the kernel's queue when the drain begins is served.
func TestDrainServesTheQueue(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			address := "127.0.0.1:0"
			if network == "unix" {
				address = t.TempDir() + "/s"
			}
			e := newEngine(t, eddy.Options{Loops: 3, DrainGrace: 10 * time.Millisecond})
			ln := listen(t, e, network, address, greeter("hello"))
			var conns []net.Conn
			for range 30 {
				conns = append(conns, dial(t, ln.Addr()))
			}
			ctx, cancel := context.WithCancel(context.Background())
			cancel() // the drain begins before the first cycle
			result := make(chan error, 1)
			go func() { result <- e.Run(ctx) }()
			for _, conn := range conns {
				got, err := io.ReadAll(conn)
				if err != nil || string(got) != "hello" {
					t.Errorf("got %q, %v, want a greeting and an orderly end", got, err)
				}
				conn.Close()
			}
			if err := receive(t, result, "Run ends"); err != nil {
				t.Errorf("Run: %v after a clean drain", err)
			}
		})
	}
}

// An idle connection is kept for the grace: a request on its way is answered.
func TestRequestWithinTheGrace(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1, DrainGrace: patience})
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeter("hello"))
	result := run(e)
	conn := dial(t, ln.Addr())
	expect(t, conn, "hello")
	shut := make(chan error, 1)
	go func() { shut <- e.Shutdown(context.Background()) }()
	await(t, "the drain has begun", func() bool { return refused(ln.Addr()) })
	if _, err := io.WriteString(conn, "late"); err != nil {
		t.Fatal(err)
	}
	expect(t, conn, "late")
	conn.Close() // which ends the drain before the grace is over
	if err := receive(t, shut, "Shutdown ends"); err != nil {
		t.Error(err)
	}
	if err := receive(t, result, "Run ends"); err != nil {
		t.Errorf("Run: %v after a clean drain", err)
	}
}

func TestShutdownAtItsDeadlineCutsOff(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 2})
	told := make(chan struct{}, 1)
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeting("hello", stubborn{told: told}))
	result := run(e)
	conn := dial(t, ln.Addr())
	expect(t, conn, "hello")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	shut := make(chan error, 1)
	go func() { shut <- e.Shutdown(ctx) }()
	receive(t, told, "the drain begins")
	select {
	case err := <-shut:
		t.Fatalf("Shutdown: %v, while a connection is open", err)
	default:
	}
	cancel()
	if err := receive(t, shut, "Shutdown ends"); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v, want the context's error", err)
	}
	err := receive(t, result, "Run ends")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v, want the context's error", err)
	}
	says(t, err, "cut off at the end of the drain")
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes from a connection that was cut off", n)
	}
}

func TestDrainTimeoutOfRun(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1, DrainTimeout: 10 * time.Millisecond})
	told := make(chan struct{}, 1)
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeting("hello", stubborn{told: told}))
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- e.Run(ctx) }()
	expect(t, dial(t, ln.Addr()), "hello")
	cancel()
	err := receive(t, result, "Run ends")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run: %v, want the deadline", err)
	}
	says(t, err, "cut off")
}

func TestSeveralShutdownsAtOnce(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 2, DrainGrace: time.Millisecond})
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeter("hello"))
	result := run(e)
	conn := dial(t, ln.Addr())
	expect(t, conn, "hello")
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() { errs <- e.Shutdown(context.Background()) }()
	}
	if _, err := io.ReadAll(conn); err != nil {
		t.Error(err)
	}
	conn.Close()
	for range cap(errs) {
		if err := receive(t, errs, "Shutdown ends"); err != nil {
			t.Error(err)
		}
	}
	if err := receive(t, result, "Run ends"); err != nil {
		t.Errorf("Run: %v", err)
	}
}

// During the delay nothing changes but what Draining says.
func TestDrainDelay(t *testing.T) {
	const delay = 300 * time.Millisecond
	e := newEngine(t, eddy.Options{Loops: 2, DrainDelay: delay, DrainGrace: time.Millisecond, DrainTimeout: patience})
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeter("hello"))
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- e.Run(ctx) }()
	before := dial(t, ln.Addr())
	expect(t, before, "hello")
	if e.Draining() {
		t.Error("Draining before a drain")
	}
	begun := time.Now()
	cancel()
	await(t, "the drain is announced", e.Draining)
	served := 0
	for !refused(ln.Addr()) {
		served++
	}
	if took := time.Since(begun); took < delay {
		t.Errorf("connections were refused after %v, before the delay of %v", took, delay)
	}
	if served == 0 {
		t.Error("nobody was accepted during the delay")
	}
	if _, err := io.ReadAll(before); err != nil {
		t.Errorf("the idle connection: %v, want an orderly end", err)
	}
	before.Close()
	if err := receive(t, result, "Run ends"); err != nil {
		t.Errorf("Run: %v after a clean drain", err)
	}
}

// DrainTimeout begins when the delay is over.
func TestDrainTimeoutDoesNotCountTheDelay(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1, DrainDelay: 600 * time.Millisecond, DrainTimeout: 500 * time.Millisecond, DrainGrace: time.Millisecond})
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeter("hello"))
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- e.Run(ctx) }()
	conn := dial(t, ln.Addr())
	expect(t, conn, "hello")
	cancel()
	if got, err := io.ReadAll(conn); err != nil || len(got) > 0 {
		t.Errorf("got %q, %v, want an orderly end", got, err)
	}
	conn.Close()
	if err := receive(t, result, "Run ends"); err != nil {
		t.Errorf("Run: %v after a clean drain", err)
	}
}

func TestDrainDelayEndsWhenForced(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1, DrainDelay: time.Hour})
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeter("hello"))
	result := run(e)
	expect(t, dial(t, ln.Addr()), "hello")
	ctx, cancel := context.WithCancel(context.Background())
	shut := make(chan error, 1)
	go func() { shut <- e.Shutdown(ctx) }()
	await(t, "the drain is announced", e.Draining)
	cancel()
	says(t, receive(t, shut, "Shutdown ends"), "cut off")
	says(t, receive(t, result, "Run ends"), "cut off")
}
