package loop

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/eddynet/eddy/asynclog"
)

func TestLimitOfConnectionsIsNoError(t *testing.T) {
	r := newRig(t)
	var log bytes.Buffer
	r.loop.logger = slog.New(slog.NewTextHandler(&log, nil))
	r.loop.limit = newLimit(1, 0)
	_, addr := r.listen("tcp4", "127.0.0.1:0", hello{})
	dial(t, addr)
	dial(t, addr)
	r.settled()
	if got := log.String(); !strings.Contains(got, "raise Options.MaxConns") || strings.Contains(got, "error=") {
		t.Errorf("log %q, want a line on MaxConns without an error", got)
	}
}

func TestAsyncLoggerHasTheQueueOfTheEngine(t *testing.T) {
	r := newRig(t)
	var engine, other bytes.Buffer
	h := asynclog.New(slog.NewTextHandler(&engine, nil))
	r.loop.logger = slog.New(h)
	log := r.loop.AsyncLogger(slog.New(slog.NewTextHandler(&other, nil)))
	log.Info("a line")
	if err := h.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(other.String(), "a line") || engine.Len() > 0 {
		t.Errorf("logs %q and %q, want the line in its own", &engine, &other)
	}
	own := slog.New(asynclog.New(slog.NewTextHandler(io.Discard, nil)))
	if r.loop.AsyncLogger(own).Handler() != own.Handler() {
		t.Error("a log with a queue of its own was given another")
	}
}
