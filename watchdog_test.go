package eddy_test

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddynet/eddy"
)

// logged is a log that is read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// lines are those that hold part.
func (l *logged) lines(part string) (all []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, part) {
			all = append(all, line)
		}
	}
	return all
}

// sleeper blocks its loop at each input, until it is reported if that is to be, and
// panics if told to.
type sleeper struct {
	echo
	log      *logged
	reported bool
}

func (s sleeper) Open(*eddy.Conn) eddy.Handler { return s }

func (s sleeper) OnData(c *eddy.Conn, in []byte) int {
	start := time.Now()
	for held := time.Duration(0); held < 300*time.Millisecond ||
		s.reported && held < patience && len(s.log.lines(lasting)) == 0; held = time.Since(start) {
		time.Sleep(10 * time.Millisecond)
	}
	if in[0] == 'p' {
		panic("told to")
	}
	_, _ = c.Write(in)
	return len(in)
}

const (
	lasting = "a callback blocks the event loop"
	over    = "a callback has blocked the event loop"
)

func startSleeper(t *testing.T, slow time.Duration) (*eddy.Engine, net.Conn, *logged) {
	t.Helper()
	var log logged
	e := newEngine(t, eddy.Options{
		Loops: 2, SlowCallback: slow, DrainGrace: time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	ln := listen(t, e, "tcp", "127.0.0.1:0", sleeper{log: &log, reported: slow > 0}.Open)
	result := run(e)
	t.Cleanup(func() {
		cutOff(e)
		receive(t, result, "Run ends")
	})
	return e, dial(t, ln.Addr()), &log
}

func TestWatchdogReportsACallbackThatBlocksItsLoop(t *testing.T) {
	// The machine itself may hold up a short callback, but hardly for so long.
	e, conn, log := startSleeper(t, 150*time.Millisecond)
	if _, err := io.WriteString(conn, "x"); err != nil {
		t.Fatal(err)
	}
	await(t, "it is reported", func() bool { return len(log.lines(over)) > 0 })
	expect(t, conn, "x")
	first, last := log.lines(lasting)[0], log.lines(over)[0]
	if !strings.Contains(first, "sleeper.OnData") {
		t.Errorf("no stack: %s", first)
	}
	for _, part := range []string{"remote=" + conn.LocalAddr().String(), "handler=eddy_test.sleeper", "callback=connection"} {
		if !strings.Contains(last, part) {
			t.Errorf("%s is not in %s", part, last)
		}
	}
	await(t, "it is counted", func() bool {
		s := e.Stats()
		return s.SlowCallbacks > 0 && s.MaxLag >= 300*time.Millisecond && s.Busy >= s.MaxLag
	})
}

func TestWatchdogReportsACallbackThatPanics(t *testing.T) {
	e, conn, log := startSleeper(t, 50*time.Millisecond)
	if _, err := io.WriteString(conn, "p"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err == nil {
		t.Error("the connection ended in order, want a reset")
	}
	await(t, "it is reported and counted", func() bool {
		s := e.Stats()
		return len(log.lines(over)) > 0 && s.SlowCallbacks > 0 && s.Panics == 1 && s.Closed == 1
	})
}

func TestWatchdogTurnedOff(t *testing.T) {
	e, conn, log := startSleeper(t, -1)
	for range 2 {
		if _, err := io.WriteString(conn, "x"); err != nil {
			t.Fatal(err)
		}
		expect(t, conn, "x")
	}
	await(t, "the lag is measured", func() bool { return e.Stats().MaxLag >= 300*time.Millisecond })
	if s := e.Stats(); s.SlowCallbacks != 0 || len(log.lines("callback")) > 0 {
		t.Errorf("%d slow callbacks, log %q, want none", s.SlowCallbacks, log.lines(""))
	}
}

func TestWatchdogEndsWithItsEngine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 3 {
		e := newEngine(t, eddy.Options{Loops: 1, SlowCallback: time.Millisecond})
		result := run(e)
		await(t, "it runs", func() bool { return e.Stats().Cycles > 0 })
		cutOff(e)
		receive(t, result, "Run ends")
	}
	await(t, "goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
}
