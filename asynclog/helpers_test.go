package asynclog_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddynet/eddy/asynclog"
	"github.com/eddynet/eddy/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// patience bounds every wait. A passing test never reaches it.
const patience = 10 * time.Second

// output collects a log. While it is blocked, writes wait.
type output struct {
	gate sync.Mutex // locked while the output is blocked

	mu      sync.Mutex
	text    bytes.Buffer
	entered int // calls of Write, including blocked ones
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	o.entered++
	o.mu.Unlock()
	o.gate.Lock()
	defer o.gate.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// block makes writes wait until release is called, at the end of the test at the latest.
func (o *output) block(t *testing.T) (release func()) {
	o.gate.Lock()
	release = sync.OnceFunc(o.gate.Unlock)
	t.Cleanup(release)
	return release
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) lines() []string { return strings.Split(strings.TrimSuffix(o.String(), "\n"), "\n") }

func (o *output) writes() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.entered
}

// text returns a handler that omits the time.
func text(w io.Writer) slog.Handler {
	return slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
}

func flush(t *testing.T, h *asynclog.Handler) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// await polls a condition that other goroutines bring about.
func await(t *testing.T, event string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, event)
		}
	}
}

// stuck blocks the output and waits until the writer blocks in writing one line.
func stuck(t *testing.T, o *output, l *slog.Logger) (release func()) {
	t.Helper()
	release = o.block(t)
	before := o.writes()
	l.Info("stuck")
	await(t, "the writer blocks", func() bool { return o.writes() > before })
	return release
}
