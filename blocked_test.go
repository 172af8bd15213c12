package eddy_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy"
)

// atOnce is how soon a call must return whose deadline has passed.
const atOnce = 5 * time.Second // far below what it would wait for, which is without end

// soon waits for a value that comes although something else blocks.
func soon[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(atOnce):
		t.Fatalf("not after %v: %s", atOnce, what)
		panic("unreachable")
	}
}

// A callback blocks one loop of two beyond the deadline of the drain. Run says so and
// returns, the other loop ends in order, and the blocked one by itself, later.
func TestDrainEndsThoughACallbackBlocks(t *testing.T) {
	goroutines, open := runtime.NumGoroutine(), descriptors()
	e := newEngine(t, eddy.Options{Loops: 2, DrainTimeout: 2 * time.Second, DrainGrace: time.Millisecond})
	held, free := make(chan struct{}), make(chan struct{})
	blocking := listen(t, e, "unix", t.TempDir()+"/s", holder{held, free}.Open) // on the first loop in turn
	first := listen(t, e, "unix", t.TempDir()+"/s", locate)
	others := listen(t, e, "tcp", "127.0.0.1:0", locate)
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- e.Run(ctx) }()
	busy := dialLoop(t, first.Addr(), "")
	idle := dialLoop(t, others.Addr(), busy.loop)
	stuck := dial(t, blocking.Addr())
	receive(t, held, "a loop is blocked")
	cancel()

	if _, err := idle.Read(make([]byte, 1)); err == nil || err.Error() != "EOF" {
		t.Errorf("the other loop's connection ended with %v, want an orderly end", err)
	}
	err := soon(t, result, "Run returns")
	var blocked *eddy.BlockedError
	if !errors.As(err, &blocked) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Run: %v, want a BlockedError and the deadline's", err)
	}
	says(t, err, "loop 0 has been blocked for ", "eddy_test.holder.Open")
	if !strings.Contains(blocked.Stack, "holder.Open") || blocked.For <= 0 {
		t.Errorf("blocked for %v, stack %s", blocked.For, blocked.Stack)
	}

	close(free)
	if n, err := stuck.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes from a connection that was cut off", n)
	}
	stuck.Close()
	busy.Close()
	idle.Close()
	await(t, "goroutines have ended", func() bool { return runtime.NumGoroutine() <= goroutines })
	await(t, "descriptors are closed", func() bool { return descriptors() <= open })
}

// locate is a protocol that greets with the number of its loop.
func locate(c *eddy.Conn) eddy.Handler {
	_, _ = fmt.Fprintln(c, c.Loop().Index())
	return echo{}
}

// located is a connection, and the loop that it is on.
type located struct {
	net.Conn
	loop string
}

// dialLoop connects until the connection is on another loop than one.
func dialLoop(t *testing.T, addr net.Addr, except string) located {
	t.Helper()
	for {
		conn := dial(t, addr)
		loop, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if loop != except {
			return located{conn, loop}
		}
		conn.Close()
	}
}

// A second signal, in the terms of programs.
func TestForcedShutdownEndsThoughACallbackBlocks(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1, SlowCallback: -1})
	held, free := make(chan struct{}), make(chan struct{})
	defer close(free)
	ln := listen(t, e, "tcp", "127.0.0.1:0", holder{held, free}.Open)
	result := run(e)
	dial(t, ln.Addr())
	receive(t, held, "the loop is blocked")
	patient := make(chan error, 1)
	go func() { patient <- e.Shutdown(context.Background()) }()
	await(t, "the drain has begun", e.Draining)
	cutOff(e)
	for who, ended := range map[string]<-chan error{"Run": result, "the patient Shutdown": patient} {
		var blocked *eddy.BlockedError
		if err := soon(t, ended, who+" returns"); !errors.As(err, &blocked) {
			t.Errorf("%s: %v, want a BlockedError", who, err)
		}
	}
}

// blockedLog is a handler of log lines that takes none, such as a pipe that is full.
type blockedLog struct {
	slog.Handler
	writing chan struct{}
	release chan struct{}
}

func (b blockedLog) Enabled(context.Context, slog.Level) bool { return true }

func (b blockedLog) Handle(context.Context, slog.Record) error {
	select {
	case b.writing <- struct{}{}:
	default:
	}
	<-b.release
	return nil
}

func TestDrainEndsThoughTheLogBlocks(t *testing.T) {
	log := blockedLog{slog.DiscardHandler, make(chan struct{}, 1), make(chan struct{})}
	defer close(log.release)
	e := newEngine(t, eddy.Options{Loops: 1, SlowCallback: 10 * time.Millisecond, Logger: slog.New(log)})
	ln := listen(t, e, "tcp", "127.0.0.1:0", func(*eddy.Conn) eddy.Handler { panic("which is logged") })
	result := run(e)
	if conn, err := net.DialTimeout("tcp", ln.Addr().String(), patience); err == nil { // the reset may be faster
		defer conn.Close()
	}
	receive(t, log.writing, "a line is written")
	cutOff(e)
	if err := soon(t, result, "Run returns"); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v, want the context's error", err)
	}
}

// Callers of Shutdown with different patience learn the same.
func TestAllCallersOfShutdownLearnOfTheCut(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	told := make(chan struct{}, 1)
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeting("hello", stubborn{told: told}))
	result := run(e)
	expect(t, dial(t, ln.Addr()), "hello")
	patient := make(chan error, 1)
	go func() { patient <- e.Shutdown(context.Background()) }()
	receive(t, told, "the drain begins")
	cutOff(e)
	for who, ended := range map[string]<-chan error{"Run": result, "the patient Shutdown": patient} {
		if err := soon(t, ended, who+" returns"); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want the error of who was not patient", who, err)
		}
	}
}

// slowResolver has no name resolved until the test ends, whoever waits for it.
func slowResolver(t *testing.T) (asked <-chan struct{}) {
	t.Helper()
	first, release := make(chan struct{}, 16), make(chan struct{})
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		first <- struct{}{}
		<-release
		return nil, errors.New("the test is over")
	}}
	t.Cleanup(func() {
		close(release)
		net.DefaultResolver = before
	})
	return first
}

func TestShutdownWhileListenLooksANameUp(t *testing.T) {
	for name, runs := range map[string]bool{"before Run": false, "during Run": true} {
		t.Run(name, func(t *testing.T) {
			asked := slowResolver(t)
			e := newEngine(t, eddy.Options{Loops: 1})
			if runs {
				run(e)
				if err := e.Ping(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			listened, shut := make(chan error, 1), make(chan error, 1)
			go func() {
				_, err := e.Listen("tcp", "slow.test:0", greeter(""))
				listened <- err
			}()
			receive(t, asked, "the name is looked up")
			go func() { shut <- e.Shutdown(context.Background()) }()
			if err := soon(t, shut, "Shutdown returns"); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
			if err := soon(t, listened, "Listen returns"); err != eddy.ErrServerClosed {
				t.Errorf("Listen: %v, want ErrServerClosed", err)
			}
		})
	}
}

func TestShutdownWhileDialLooksANameUp(t *testing.T) {
	asked := slowResolver(t)
	e := newEngine(t, eddy.Options{Loops: 1})
	result := run(e)
	dialled := make(chan error, 1)
	if err := e.Dial("tcp", "slow.test:1", greeter(""), time.Hour, func(_ *eddy.Conn, err error) { dialled <- err }); err != nil {
		t.Fatal(err)
	}
	receive(t, asked, "the name is looked up")
	if err := e.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := soon(t, dialled, "done is called"); !errors.Is(err, eddy.ErrServerClosed) {
		t.Errorf("Dial: %v, want ErrServerClosed", err)
	}
	if err := soon(t, result, "Run returns"); err != nil {
		t.Errorf("Run: %v", err)
	}
}

// Tasks posted before Run run in Shutdown, and may call the engine.
func TestShutdownBeforeRunCallsDone(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeter(""))
	calls, errs := 0, make(chan error, 2)
	err := e.Dial("tcp", "127.0.0.1:1", greeter(""), time.Second, func(_ *eddy.Conn, err error) {
		calls++
		errs <- err
		if err := ln.Close(); err != nil {
			t.Error(err)
		}
		errs <- e.Run(context.Background())
	})
	if err != nil {
		t.Fatal(err)
	}
	shut := make(chan error, 1)
	go func() { shut <- e.Shutdown(context.Background()) }()
	if err := soon(t, shut, "Shutdown returns"); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := <-errs; !errors.Is(err, eddy.ErrServerClosed) {
			t.Errorf("%v, want ErrServerClosed", err)
		}
	}
	if calls != 1 {
		t.Errorf("done was called %d times", calls)
	}
}

func TestShutdownBeforeRunEndsThoughACallbackBlocks(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 2})
	blocked, free := make(chan struct{}), make(chan struct{})
	defer close(free)
	err := e.Dial("tcp", "127.0.0.1:1", greeter(""), time.Second, func(*eddy.Conn, error) {
		close(blocked)
		<-free
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	shut := make(chan error, 1)
	go func() { shut <- e.Shutdown(ctx) }()
	receive(t, blocked, "done is called")
	cancel()
	var late *eddy.BlockedError
	if err := soon(t, shut, "Shutdown returns"); !errors.As(err, &late) {
		t.Errorf("Shutdown: %v, want a BlockedError", err)
	}
}
