package eddy_test

import (
	"context"
	"io"
	"log"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/asynclog"
)

// unread is a log that nobody reads before it is released.
type unread struct {
	logged
	released chan struct{}
}

func newUnread(t *testing.T) (log *unread, release func()) {
	log = &unread{released: make(chan struct{})}
	release = sync.OnceFunc(func() { close(log.released) })
	t.Cleanup(release)
	return log, release
}

func (u *unread) Write(p []byte) (int, error) {
	<-u.released
	return u.logged.Write(p)
}

// talker logs every input on its loop, panics at a p, and echoes.
type talker struct{}

func (t talker) Open(*eddy.Conn) eddy.Handler { return t }

func (talker) OnData(c *eddy.Conn, in []byte) int {
	c.Loop().Logger().Info("input", "bytes", in)
	if in[0] == 'p' {
		panic("asked for")
	}
	_, _ = c.Write(in)
	return len(in)
}

func (talker) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) {
	if e == eddy.EventClosed {
		c.Loop().Logger().Info("closed")
	}
	return false
}

func TestLogThatNobodyReadsDoesNotBlockLoops(t *testing.T) {
	log, release := newUnread(t)
	e := newEngine(t, eddy.Options{
		Loops: 1, SlowCallback: 20 * time.Millisecond, DrainGrace: time.Millisecond, DrainTimeout: patience,
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	ln := listen(t, e, "tcp", "127.0.0.1:0", talker{}.Open)
	slow := listen(t, e, "tcp", "127.0.0.1:0", sleeper{log: &log.logged}.Open) // for the watchdog
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- e.Run(ctx) }()

	for range 10 {
		conn := dial(t, ln.Addr())
		if _, err := io.WriteString(conn, "p"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(conn); err == nil {
			t.Error("a panic ended the connection in order, want a reset")
		}
	}
	for _, ln := range []*eddy.Listener{slow, ln} {
		conn := dial(t, ln.Addr())
		if _, err := io.WriteString(conn, "x"); err != nil {
			t.Fatal(err)
		}
		expect(t, conn, "x")
		conn.Close()
	}
	cancel()
	if err := receive(t, result, "Run ends"); err != nil {
		t.Errorf("Run returned %v", err)
	}
	if got := log.lines(""); len(got) > 0 {
		t.Errorf("lines %q of a log that nobody reads", got)
	}
	release()
	await(t, "the writer goes on", func() bool {
		return len(log.lines("callback panicked")) == 10 && len(log.lines(over)) > 0 && len(log.lines("closed")) >= 11
	})
}

func TestDroppedLogLinesAreCounted(t *testing.T) {
	log, release := newUnread(t)
	e := newEngine(t, eddy.Options{Loops: 1, Logger: slog.New(slog.NewTextHandler(log, nil))})
	ln := listen(t, e, "tcp", "127.0.0.1:0", flooder{}.Open)
	run(e)
	conn := dial(t, ln.Addr())
	if _, err := io.WriteString(conn, "x"); err != nil {
		t.Fatal(err)
	}
	expect(t, conn, "x")
	await(t, "lines are dropped", func() bool { return e.Stats().LogDropped > 0 })
	release()
	await(t, "it is reported", func() bool { return len(log.lines("records were dropped")) > 0 })
}

// flooder logs more than a queue holds, and echoes.
type flooder struct{ talker }

func (f flooder) Open(*eddy.Conn) eddy.Handler { return f }

func (flooder) OnData(c *eddy.Conn, in []byte) int {
	for range 20_000 {
		c.Loop().Logger().Info("flood")
	}
	_, _ = c.Write(in)
	return len(in)
}

// leisurely is a log that takes a while for each line.
type leisurely struct{ logged }

func (l *leisurely) Write(p []byte) (int, error) {
	time.Sleep(5 * time.Millisecond)
	return l.logged.Write(p)
}

func TestRunReturnsWhenItsLastLineIsWritten(t *testing.T) {
	var log leisurely
	e := newEngine(t, eddy.Options{Loops: 1, DrainGrace: time.Millisecond, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	ln := listen(t, e, "tcp", "127.0.0.1:0", talker{}.Open)
	result := run(e)
	conn := dial(t, ln.Addr())
	if _, err := io.WriteString(conn, "x"); err != nil {
		t.Fatal(err)
	}
	expect(t, conn, "x")
	await(t, "the first line is written", func() bool { return len(log.lines("input")) == 1 })
	cutOff(e)
	receive(t, result, "Run ends")
	if got := len(log.lines("closed")); got != 1 {
		t.Errorf("%d lines when Run has returned, want 1", got)
	}
}

func TestLoggerThatIsAsynchronousIsNotWrapped(t *testing.T) {
	h := asynclog.New(slog.DiscardHandler)
	loggers := make(chan *slog.Logger, 1)
	e := newEngine(t, eddy.Options{Loops: 1, Logger: slog.New(h)})
	ln := listen(t, e, "tcp", "127.0.0.1:0", func(c *eddy.Conn) eddy.Handler {
		loggers <- c.Loop().Logger()
		return echo{}
	})
	result := run(e)
	dial(t, ln.Addr())
	if got := receive(t, loggers, "the connection is opened"); got.Handler() != h {
		t.Errorf("the loop logs through %v, want the program's handler", got.Handler())
	}
	cutOff(e)
	receive(t, result, "Run ends")
}

func TestDefaultLogIsTheOneOfNew(t *testing.T) {
	var first, second logged
	before, output, flags := slog.Default(), log.Writer(), log.Flags()
	t.Cleanup(func() {
		slog.SetDefault(before)
		log.SetOutput(output) // which SetDefault has changed
		log.SetFlags(flags)
	})
	slog.SetDefault(slog.New(slog.NewTextHandler(&first, nil)))
	e, err := eddy.New(eddy.Options{Loops: 1, DrainGrace: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(&second, nil)))
	ln := listen(t, e, "tcp", "127.0.0.1:0", talker{}.Open)
	result := run(e)
	conn := dial(t, ln.Addr())
	if _, err := io.WriteString(conn, "x"); err != nil {
		t.Fatal(err)
	}
	expect(t, conn, "x")
	cutOff(e)
	receive(t, result, "Run ends")
	if got := strings.Join(first.lines("input"), ""); !strings.Contains(got, "bytes=\"x\"") || len(second.lines("")) > 0 {
		t.Errorf("logs %q and %q, want the first one to have the line", first.lines(""), second.lines(""))
	}
}
