// Package asynclog has a handler for log/slog that never waits for its output. A
// synchronous log blocks its callers when nobody reads it: a full pipe, a suspended
// terminal, a collector that hangs. An event loop must not block there.
//
//	logger := slog.New(asynclog.New(slog.NewTextHandler(os.Stderr, nil)))
//
// Records are queued, and written in order by a goroutine, which exists only while the
// queue is not empty. When the queue is full, further records are dropped and counted;
// once there is space again, a record reports their number. An engine of package eddy
// wraps its Options.Logger, and the access log, by itself.
//
// Queued records are lost when the program crashes or calls os.Exit, as log.Fatal
// does: call Handler.Flush first. An engine does so at the end of Run.
package asynclog

import (
	"context"
	"fmt"
	"log/slog"
)

// Handler is a slog.Handler that queues records for another one. Its methods may be
// called from any goroutine. Only Flush blocks.
type Handler struct {
	next  slog.Handler
	queue *queue
}

// New returns a handler with its own queue for the records of next. If next is a Handler
// already, New returns it unchanged.
//
// The queue holds up to 8 MiB, counting 400 bytes and the strings of each record. Records
// below slog.LevelWarn may use half of that, so that an access log cannot crowd out
// errors. Up to 64 further records are being written.
//
// Do not wrap the initial handler of slog.Default and pass the result to
// slog.SetDefault: it would write to itself (go.dev/issue/61892).
func New(next slog.Handler) *Handler {
	if h, ok := next.(*Handler); ok {
		return h
	}
	return &Handler{next, &queue{base: next}}
}

// Share returns a handler for the records of next that uses the queue of h: one
// goroutine writes both, in order. If next is a Handler already, it keeps its own queue.
func (h *Handler) Share(next slog.Handler) *Handler {
	if other, ok := next.(*Handler); ok {
		return other
	}
	return &Handler{next, h.queue}
}

// Enabled calls the wrapped handler, which must not block here.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle queues the record, or drops it and returns an error. Errors of the wrapped
// handler are ignored. Handle resolves a slog.LogValuer and copies a slice of bytes; any
// other reference, and a string made with package unsafe, must not change afterwards.
// The wrapped handler gets the values of ctx, but not its cancellation.
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

// Flush waits until all records queued so far are written, including those of handlers
// that share the queue. It returns an error if ctx is done first: a blocked handler
// cannot be interrupted, and its goroutine stays until it returns. Do not call Flush on
// an event loop or from the wrapped handler.
func (h *Handler) Flush(ctx context.Context) error {
	written := h.queue.mark()
	if written == nil {
		return nil
	}
	select {
	case <-written:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("asynclog: flush: %w", context.Cause(ctx))
	}
}

// Dropped is the number of records dropped since the start, because the queue was full
// or the wrapped handler panicked.
func (h *Handler) Dropped() uint64 { return h.queue.dropped() }
