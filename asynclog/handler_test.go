package asynclog_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/eddynet/eddy/asynclog"
)

func TestHandlerObeysTheRulesOfSlog(t *testing.T) {
	var h *asynclog.Handler
	var got []map[string]any
	slogtest.Run(t, func(t *testing.T) slog.Handler {
		got = nil
		h = asynclog.New(&mapHandler{to: &got})
		return h
	}, func(t *testing.T) map[string]any {
		flush(t, h)
		return got[0]
	})
}

// mapHandler stores records as nested maps, which it decodes from slog's JSON handler.
type mapHandler struct {
	to   *[]map[string]any
	with []func(slog.Handler) slog.Handler
}

func (m *mapHandler) Enabled(context.Context, slog.Level) bool { return true }
func (m *mapHandler) Handle(ctx context.Context, r slog.Record) error {
	var line strings.Builder
	var h slog.Handler = slog.NewJSONHandler(&line, nil)
	for _, with := range m.with {
		h = with(h)
	}
	if err := h.Handle(ctx, r); err != nil {
		return err
	}
	decoded, err := decode(line.String())
	*m.to = append(*m.to, decoded)
	return err
}

func (m *mapHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return m.and(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

func (m *mapHandler) WithGroup(name string) slog.Handler {
	return m.and(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (m *mapHandler) and(with func(slog.Handler) slog.Handler) slog.Handler {
	return &mapHandler{m.to, append(slices.Clip(m.with), with)}
}

func TestLinesKeepTheirOrder(t *testing.T) {
	const loggers, lines = 8, 500
	var out output
	h := asynclog.New(text(&out))
	var wait sync.WaitGroup
	for i := range loggers {
		l := slog.New(h).With("logger", i)
		wait.Go(func() {
			for n := range lines {
				l.Warn("line", "n", n)
			}
		})
	}
	wait.Wait()
	flush(t, h)
	next := map[string]int{}
	for _, line := range out.lines() {
		_, rest, _ := strings.Cut(line, "logger=")
		logger, n, _ := strings.Cut(rest, " n=")
		if n != strconv.Itoa(next[logger]) {
			t.Fatalf("line %q of logger %s, want n=%d", line, logger, next[logger])
		}
		next[logger]++
	}
	if len(next) != loggers || h.Dropped() != 0 {
		t.Errorf("lines of %d loggers, %d dropped; want %d, none", len(next), h.Dropped(), loggers)
	}
}

func TestCallerDoesNotWaitForABlockedOutput(t *testing.T) {
	var out output
	h := asynclog.New(text(&out))
	l := slog.New(h)
	release := stuck(t, &out, l)
	for range 100 {
		l.Info("a line") // returns, or the test times out
	}
	if got := out.String(); got != "" {
		t.Errorf("written to a blocked output: %q", got)
	}
	release()
	flush(t, h)
	if got := len(out.lines()); got != 101 {
		t.Errorf("%d lines, want 101", got)
	}
}

func TestFullQueueDropsCountsAndReports(t *testing.T) {
	var out output
	h := asynclog.New(text(&out))
	l := slog.New(h)
	release := stuck(t, &out, l)
	logged := 1
	for ; h.Dropped() == 0; logged++ {
		l.Info("a line")
	}
	for range 9 {
		l.Info("a line")
		logged++
	}
	if got := h.Dropped(); got != 10 {
		t.Errorf("%d dropped, want 10", got)
	}
	release()
	flush(t, h)
	lines := out.lines()
	if want := logged - 10 + 1; len(lines) != want {
		t.Errorf("%d lines, want %d: those that fit and a report", len(lines), want)
	}
	last := lines[len(lines)-1]
	if !strings.Contains(last, "level=WARN") || !strings.HasSuffix(last, "dropped=10") {
		t.Errorf("the last line is %q, want a report of 10", last)
	}
	l.Info("later")
	flush(t, h)
	if got := out.lines()[len(lines):]; len(got) != 1 || !strings.Contains(got[0], "later") {
		t.Errorf("after the report: %q, want the next line alone", got)
	}
}

func TestErrorsAreQueuedWhenInfoRecordsAreDropped(t *testing.T) {
	var out output
	h := asynclog.New(text(&out))
	l := slog.New(h)
	release := stuck(t, &out, l)
	for h.Dropped() == 0 {
		l.Info("access")
	}
	l.Error("a panic")
	if got := h.Dropped(); got != 1 {
		t.Errorf("%d dropped, want 1: the error fits", got)
	}
	release()
	flush(t, h)
	if !strings.Contains(out.String(), "a panic") {
		t.Error("the error is not in the log")
	}
}

func TestQueueIsBoundedInBytes(t *testing.T) {
	var out output
	h := asynclog.New(text(&out))
	l := slog.New(h)
	release := stuck(t, &out, l)
	stack := strings.Repeat("x", 1<<20)
	for range 20 {
		l.Error("a panic", "stack", stack, slog.Group("of", "other", stack))
	}
	if got := h.Dropped(); got != 17 { // 8 MiB hold three of 2 MiB and their overhead
		t.Errorf("%d of 20 records of 2 MiB dropped, want 17", got)
	}
	release()
	flush(t, h)

	release = stuck(t, &out, l)
	before := h.Dropped()
	l.Error("huge", "stack", strings.Repeat("x", 9<<20)) // larger than the whole queue, which is empty
	if got := h.Dropped() - before; got != 0 {
		t.Errorf("%d dropped, want the huge one to fit an empty queue", got)
	}
	release()
	flush(t, h)
}

func TestPanicOfTheHandlerCostsOneLine(t *testing.T) {
	var out output
	h := asynclog.New(failing{text(&out), false})
	l := slog.New(h)
	l.Info("one")
	l.Info("panic")
	l.Info("two")
	flush(t, h)
	got := out.String()
	if !strings.Contains(got, "msg=one") || !strings.Contains(got, "msg=two") || !strings.Contains(got, "dropped=1\n") {
		t.Errorf("log %q, want both lines and a report of one", got)
	}
	if h.Dropped() != 1 {
		t.Errorf("%d dropped, want 1", h.Dropped())
	}
}

func TestHandlerThatEndsItsGoroutineCostsOneLine(t *testing.T) {
	var out output
	h := asynclog.New(failing{text(&out), true})
	l := slog.New(h)
	release := stuck(t, &out, l)
	l.Info("exit")
	l.Info("after")
	release()
	flush(t, h)
	l.Info("later")
	flush(t, h)
	got := out.String()
	if !strings.Contains(got, "msg=after") || !strings.Contains(got, "msg=later") {
		t.Errorf("log %q, want the lines after it", got)
	}
	if h.Dropped() != 1 {
		t.Errorf("%d dropped, want 1", h.Dropped())
	}
}

// failing panics or calls runtime.Goexit on certain messages.
type failing struct {
	slog.Handler
	exits bool // on reports of dropped records too
}

func (f failing) Handle(ctx context.Context, r slog.Record) error {
	switch {
	case r.Message == "panic":
		panic("asked for")
	case r.Message == "exit", f.exits && strings.Contains(r.Message, "dropped"):
		runtime.Goexit()
	}
	return f.Handler.Handle(ctx, r)
}

func TestTimeIsThatOfTheCall(t *testing.T) {
	var out output
	h := asynclog.New(slog.NewTextHandler(&out, nil))
	l := slog.New(h)
	release := stuck(t, &out, l)
	l.Info("a line")
	after := time.Now()
	time.Sleep(20 * time.Millisecond)
	release()
	flush(t, h)
	for _, line := range out.lines() {
		stamp, _, _ := strings.Cut(strings.TrimPrefix(line, "time="), " ")
		if at, err := time.Parse(time.RFC3339, stamp); err != nil || at.After(after) {
			t.Errorf("%q, %v: want a time before %v", line, err, after)
		}
	}
}

func TestFlushEndsWithItsContext(t *testing.T) {
	var out output
	h := asynclog.New(text(&out))
	release := stuck(t, &out, slog.New(h))
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := fmt.Errorf("enough")
	cancel(cause)
	if err := h.Flush(ctx); err == nil || !strings.Contains(err.Error(), "enough") {
		t.Errorf("error %v, want the context's", err)
	}
	release()
	flush(t, h)
	flush(t, h) // the queue is empty
}

func TestIdleLogHasNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	var out output
	h := asynclog.New(text(&out))
	for range 3 {
		slog.New(h).Info("a line")
		flush(t, h)
		await(t, "the writer has ended", func() bool { return runtime.NumGoroutine() <= before })
	}
}

func TestQueueIsShared(t *testing.T) {
	var errors, access output
	h := asynclog.New(text(&errors))
	other := h.Share(text(&access))
	release := stuck(t, &errors, slog.New(h))
	slog.New(other).WithGroup("g").With("a", 1).Info("shared")
	for h.Dropped() == 0 {
		slog.New(other).Info("flood")
	}
	if got := access.String(); got != "" {
		t.Errorf("written by another writer: %q", got)
	}
	release()
	flush(t, h)
	if got := access.lines()[0]; got != "level=INFO msg=shared g.a=1" {
		t.Errorf("got %q", got)
	}
	if !strings.Contains(errors.String(), "dropped=1\n") || strings.Contains(access.String(), "dropped") {
		t.Error("lost lines are not reported by the handler that New was given")
	}
	if other.Dropped() != h.Dropped() {
		t.Errorf("%d and %d dropped, want one count", other.Dropped(), h.Dropped())
	}
}

func TestHandlerIsNotWrappedTwice(t *testing.T) {
	h, other := asynclog.New(slog.DiscardHandler), asynclog.New(slog.DiscardHandler)
	if asynclog.New(h) != h {
		t.Error("New has made a queue before a queue")
	}
	if h.Share(other) != other {
		t.Error("Share has changed the queue of a handler that has one")
	}
}

func TestEndOfTheContextDoesNotReachTheHandler(t *testing.T) {
	type key struct{}
	seen := make(chan context.Context, 1)
	h := asynclog.New(contexts{slog.DiscardHandler, seen})
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "trace"))
	cancel()
	slog.New(h).InfoContext(ctx, "a line")
	flush(t, h)
	if got := <-seen; got.Err() != nil || got.Value(key{}) != "trace" {
		t.Errorf("the handler got %v, %v", got.Err(), got.Value(key{}))
	}
}

type contexts struct {
	slog.Handler
	seen chan context.Context
}

func (contexts) Enabled(context.Context, slog.Level) bool { return true }
func (c contexts) Handle(ctx context.Context, _ slog.Record) error {
	c.seen <- ctx
	return nil
}
