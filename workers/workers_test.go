package workers_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddynet/eddy/workers"
)

// patience bounds every wait. A passing test never reaches it.
const patience = 20 * time.Second

// The test binary is its own worker. Its argument is the worker's kind.
func TestMain(m *testing.M) {
	worker, err := workers.Current()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	if worker != nil {
		os.Exit(work(worker, os.Args[1]))
	}
	os.Exit(m.Run())
}

func work(w *workers.Worker, kind string) int {
	healthy := func(context.Context) error { return nil }
	switch kind {
	case "crashes":
		return 7
	case "mute":
		select {}
	case "sick": // becomes ready, then hangs
		calls := 0
		healthy = func(context.Context) error {
			if calls++; calls > 1 {
				select {}
			}
			return nil
		}
	}
	ctx := w.Report(context.Background(), healthy)
	ln, err := net.FileListener(w.Listeners()[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 4
	}
	w.Listeners()[0].Close()
	greeted := make(chan struct{})
	go func() {
		greet(ln, kind)
		close(greeted)
	}()
	<-ctx.Done()
	ln.Close()
	<-greeted // a client that was accepted is greeted
	switch {
	case !errors.Is(context.Cause(ctx), workers.ErrDrain):
		return 5
	case kind == "stays":
		select {}
	case kind == "fails":
		return 6
	}
	return 0
}

// greet sends the worker's kind and process ID to every client.
func greet(ln net.Listener, kind string) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		fmt.Fprintf(conn, "%s %d", kind, os.Getpid())
		conn.Close()
	}
}

// book collects the log.
type book struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// running is a supervisor under test.
type running struct {
	*workers.Supervisor
	t      *testing.T
	addr   net.Addr
	log    *book
	stop   context.CancelFunc
	result chan error
}

func supervise(t *testing.T, kind string, options workers.Options) *running {
	t.Helper()
	if len(options.Listeners) == 0 {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		options.Listeners = []net.Listener{ln}
	}
	r := &running{t: t, addr: options.Listeners[0].Addr(), log: &book{}, result: make(chan error, 1)}
	options.Workers = 2
	options.Args = []string{kind}
	if options.Logger == nil {
		options.Logger = slog.New(slog.NewTextHandler(r.log, nil))
	}
	var err error
	if r.Supervisor, err = workers.New(options); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.result <- r.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("log:\n%s", r.log)
		}
	})
	return r
}

// ends waits for Run to return.
func (r *running) ends() error {
	r.t.Helper()
	select {
	case err := <-r.result:
		return err
	case <-time.After(patience):
		r.t.Fatalf("Run has not returned within %v", patience)
		return nil
	}
}

// greeting returns the text that a new connection receives.
func (r *running) greeting() string {
	r.t.Helper()
	conn, err := net.DialTimeout(r.addr.Network(), r.addr.String(), patience)
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience)) // without it, the test's own timeout applies
	text, err := io.ReadAll(conn)
	if err != nil || len(text) == 0 {
		r.t.Fatalf("received %q, %v", text, err)
	}
	return string(text)
}

// logs waits for n log lines with the text.
func (r *running) logs(text string, n int) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); strings.Count(r.log.String(), text) < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("not %d lines with %q within %v", n, text, patience)
		}
	}
}

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

func TestRunDrainsItsWorkers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	r := supervise(t, "serves", workers.Options{Listeners: []net.Listener{ln}})
	if got := r.greeting(); !strings.HasPrefix(got, "serves ") {
		t.Errorf("received %q", got)
	}
	r.logs("is ready", 2)
	r.stop()
	if err := r.ends(); err != nil {
		t.Errorf("Run: %v after a clean drain", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket file: %v, want it removed", err)
	}
	says(t, r.Replace(context.Background()), "is not running")
	says(t, r.Run(context.Background()), "runs once")
}

// unread is a log whose writes block until it is closed.
type unread chan struct{}

func (u unread) Write(p []byte) (int, error) {
	<-u
	return len(p), nil
}

func TestBlockedLogDoesNotBlockTheSupervisor(t *testing.T) {
	log := make(unread)
	t.Cleanup(func() { close(log) })
	r := supervise(t, "serves", workers.Options{Logger: slog.New(slog.NewTextHandler(log, nil))})
	r.greeting()
	r.stop()
	if err := r.ends(); err != nil {
		t.Error(err)
	}
}

func TestWorkerThatDoesNotDrainIsKilled(t *testing.T) {
	r := supervise(t, "stays", workers.Options{DrainTimeout: 50 * time.Millisecond})
	r.logs("is ready", 2)
	r.stop()
	says(t, r.ends(), "was killed: it has not drained for 50ms")
}

func TestFailureInTheDrainIsReported(t *testing.T) {
	r := supervise(t, "fails", workers.Options{})
	r.logs("is ready", 2)
	r.stop()
	says(t, r.ends(), "exit status 6")
}

func TestTooManyCrashesEndRun(t *testing.T) {
	r := supervise(t, "crashes", workers.Options{RestartDelay: time.Millisecond, MaxCrashes: 5})
	err := r.ends()
	says(t, err, "too many crashes: more than 5 within 1m0s", "Options.MaxCrashes", "exit status 7")
	if got := strings.Count(r.log.String(), "restarting a worker"); got < 6 {
		t.Errorf("%d crashes in the log, want 6", got)
	}
}

func TestWorkerThatDoesNotGetReadyIsKilled(t *testing.T) {
	r := supervise(t, "mute", workers.Options{ReadyTimeout: 100 * time.Millisecond, MaxCrashes: 1, RestartDelay: time.Millisecond})
	says(t, r.ends(), "too many crashes", "it has not become ready for 100ms")
}

func TestWorkerThatStopsReportingIsKilled(t *testing.T) {
	r := supervise(t, "sick", workers.Options{HeartbeatTimeout: 200 * time.Millisecond, MaxCrashes: 1, RestartDelay: time.Millisecond})
	says(t, r.ends(), "too many crashes", "it has not reported for 200ms")
}

// install replaces the program at the path by renaming, as a deployment does, since the
// old one may be running.
func install(t *testing.T, path, content string) {
	t.Helper()
	next := path + ".next"
	if err := os.WriteFile(next, []byte(content), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

func TestReplaceStartsTheBinaryAtThePath(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "server")
	script := func(kind string) string { return fmt.Sprintf("#!/bin/sh\nexec %q %s\n", own, kind) }
	install(t, path, script("old"))
	r := supervise(t, "", workers.Options{Path: path, ReadyTimeout: patience})
	if got := r.greeting(); !strings.HasPrefix(got, "old ") {
		t.Errorf("received %q before", got)
	}
	r.logs("is ready", 2)

	// A binary that fails is refused, and the old workers keep serving.
	install(t, path, script("crashes"))
	says(t, r.Replace(context.Background()), "the new workers are not ready, the old ones stay", "exit status 7")
	r.logs("no replacement", 1)
	if got := r.greeting(); !strings.HasPrefix(got, "old ") {
		t.Errorf("received %q after a refused replacement", got)
	}

	install(t, path, script("mute"))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := r.Replace(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Replace: %v, want the context's error", err)
	}

	install(t, path, script("new"))
	if err := r.Replace(context.Background()); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); !strings.HasPrefix(r.greeting(), "new "); {
		if time.Now().After(deadline) {
			t.Fatal("the old workers still accept")
		}
	}
}

func TestReplaceEndsWithTheDrain(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "server")
	install(t, path, fmt.Sprintf("#!/bin/sh\nexec %q serves\n", own))
	r := supervise(t, "", workers.Options{Path: path, DrainTimeout: time.Second})
	r.logs("is ready", 2)
	install(t, path, fmt.Sprintf("#!/bin/sh\nexec %q mute\n", own))
	replaced := make(chan error, 1)
	go func() { replaced <- r.Replace(context.Background()) }()
	r.logs("has started", 4)
	r.stop()
	select {
	case err := <-replaced:
		says(t, err, "the supervisor is draining")
	case <-time.After(patience):
		t.Fatal("Replace still waits")
	}
	says(t, r.ends(), "it has not drained for 1s") // the new workers
}

func TestInvalidOptionsAreNamed(t *testing.T) {
	for _, c := range []struct {
		options workers.Options
		says    []string
	}{
		{workers.Options{Workers: -1}, []string{"Options.Workers", "-1", "not be negative"}},
		{workers.Options{MaxCrashes: -1}, []string{"Options.MaxCrashes"}},
		{workers.Options{ReadyTimeout: -1}, []string{"Options.ReadyTimeout", "default, 30s"}},
		{workers.Options{HeartbeatTimeout: -1}, []string{"Options.HeartbeatTimeout"}},
		{workers.Options{DrainTimeout: -1}, []string{"Options.DrainTimeout"}},
		{workers.Options{CrashWindow: -1}, []string{"Options.CrashWindow"}},
		{workers.Options{RestartDelay: 2, MaxRestartDelay: 1}, []string{"Options.RestartDelay is 2ns", "MaxRestartDelay, 1ns", "lower it"}},
		{workers.Options{Path: "/no/such/binary"}, []string{"/no/such/binary", "Options.Path"}},
		{workers.Options{Listeners: []net.Listener{strange{}}}, []string{"strange", "cannot be inherited"}},
	} {
		s, err := workers.New(c.options)
		if s != nil {
			t.Errorf("options %+v: New returned a supervisor and an error", c.options)
		}
		says(t, err, append(c.says, "workers: ")...)
	}
}

// strange is not a listener of package net.
type strange struct{ net.Listener }

func (strange) Close() error   { return nil }
func (strange) Addr() net.Addr { return &net.TCPAddr{} }

func TestProcessWithoutSupervisorIsNoWorker(t *testing.T) {
	if w, err := workers.Current(); w != nil || err != nil {
		t.Errorf("Current: %v, %v, want nothing", w, err)
	}
	t.Setenv("EDDY_WORKER", "nonsense")
	_, err := workers.Current()
	says(t, err, `EDDY_WORKER is "nonsense"`)
}
