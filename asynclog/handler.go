// Package asynclog has a handler for log/slog that never waits for its output. A log
// that is written synchronously stops whoever logs when nobody reads it: a pipe that is
// full, a terminal that is suspended, a collector that hangs. An event loop must not
// stop for that.
//
//	logger := slog.New(asynclog.New(slog.NewTextHandler(os.Stderr, nil)))
//
// Records wait in a queue and are written in order by a goroutine, which exists only
// while there are any. When the queue is full, further records are dropped and counted,
// and a record says how many as soon as there is room again. An engine of package eddy
// wraps its Options.Logger, and the access log, by itself.
//
// Records that wait are lost when the program crashes or calls os.Exit, as log.Fatal
// does: call Handler.Flush before. An engine does at the end of Run.
package asynclog

import (
	"context"
	"fmt"
	"log/slog"
)

// Handler is a slog.Handler that queues records for another one. Its methods may be
// called from any goroutine, and only Flush waits.
type Handler struct {
	next  slog.Handler
	queue *queue
}

// New returns a handler with a queue of its own for the records of next. A next that is
// a Handler already is returned as it is.
//
// The queue takes up to 8 MiB, counting 400 bytes and the strings for each record;
// records below slog.LevelWarn get half of that, so that an access log cannot crowd out
// errors. Up to 64 records more are in the hands of next.
//
// The handler of slog.Default must not be wrapped and then passed to slog.SetDefault,
// unless it is one of the program's own: the first one of package slog would write to
// itself (go.dev/issue/61892).
func New(next slog.Handler) *Handler {
	if h, ok := next.(*Handler); ok {
		return h
	}
	return &Handler{next, &queue{base: next}}
}

// Share returns a handler for the records of next that uses the queue of h: one
// goroutine writes both, in order. A next that is a Handler already keeps its own queue.
func (h *Handler) Share(next slog.Handler) *Handler {
	if other, ok := next.(*Handler); ok {
		return other
	}
	return &Handler{next, h.queue}
}

// Enabled asks the wrapped handler, which must not block here.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle queues the record, or drops it and returns an error. Errors of the wrapped
// handler are lost. A slog.LogValuer is resolved here, and a slice of bytes is copied;
// any other value that is a reference, and a string made with package unsafe, must not
// change afterwards. The wrapped handler gets the values of ctx, not its end.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	if ctx.Done() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	record, size := retain(r)
	return h.queue.add(&entry{next: h.next, ctx: ctx, record: record}, size)
}

// WithAttrs returns a handler with the same queue.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{h.next.WithAttrs(attrs), h.queue}
}

// WithGroup returns a handler with the same queue.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{h.next.WithGroup(name), h.queue}
}

// Flush waits until all records queued before are written, those of handlers that share
// the queue too. It returns an error when ctx ends first: a blocked handler cannot be
// interrupted, and its goroutine stays until it returns. Not to be called on an event
// loop, nor by the wrapped handler.
func (h *Handler) Flush(ctx context.Context) error {
	written := h.queue.mark()
	if written == nil {
		return nil
	}
	select {
	case <-written:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("asynclog: the log is not written: %w", context.Cause(ctx))
	}
}

// Dropped is the number of records that were lost, since the start: the queue was full,
// or the wrapped handler panicked.
func (h *Handler) Dropped() uint64 { return h.queue.dropped() }
