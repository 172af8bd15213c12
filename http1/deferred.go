package http1

import (
	"context"
	"sync"
	"time"

	"github.com/eddynet/eddy/loop"
)

// Deferred is an answer that comes later than the handler's return. It is safe on
// any goroutine, also when the client has gone. It costs no goroutine.
type Deferred struct {
	ref     loop.Ref
	timeout time.Duration // 0 for Options.HandlerTimeout

	mu       sync.Mutex
	answered bool                    // guarded by mu
	cause    error                   // guarded by mu: why no answer is wanted any more
	ctx      context.Context         // guarded by mu: made when it is asked for
	stop     context.CancelCauseFunc // guarded by mu
}

// Defer keeps the exchange open after the handler has returned. Later requests of
// the connection wait until it is answered, by Respond. If no answer comes within
// Options.HandlerTimeout, the client gets 503. Call it once, in the handler.
func (w *Response) Defer() *Deferred { return w.DeferFor(0) }

// DeferFor is Defer with a timeout of its own in place of Options.HandlerTimeout.
func (w *Response) DeferFor(timeout time.Duration) *Deferred {
	x := w.session
	x.answer(deferred)
	x.deferred = &Deferred{ref: x.conn.Ref(), timeout: timeout}
	x.awaitAnswer()
	if w.body != nil && len(w.body.B) == 0 {
		w.dropBody() // nothing is held while waiting
	}
	if x.conn.EOF() {
		x.deferred.cancel(ErrClientGone)
	}
	return x.deferred
}

// Respond has fn write the answer, on the connection's loop, which it must not
// block. It returns ErrAnswered if the request was answered before, by the deadline
// too, and the cause if the client has gone. If the client goes before fn had its
// turn, fn is not called. Any goroutine.
func (d *Deferred) Respond(fn func(w *Response)) error {
	if err := d.claim(); err != nil {
		return err
	}
	err := d.ref.Do(func(c *loop.Conn) { d.respond(c, fn) })
	if err != nil {
		return ErrClientGone
	}
	return nil
}

// claim makes sure that a request is answered once.
func (d *Deferred) claim() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.answered {
		return ErrAnswered
	}
	d.answered = true
	return nil
}

// respond runs on the loop.
func (d *Deferred) respond(c *loop.Conn, fn func(w *Response)) {
	x, ok := c.State().(*session)
	if !ok || x.deferred != d || x.out != deferred || !c.Open() {
		return
	}
	x.call(func(w *Response, _ *Request) { fn(w) })
	d.cancel(context.Canceled) // answered: whoever still works on it may stop
	if x.out == deferred {
		x.response.Finish()
	}
}

// Context is cancelled when the answer is given, when its time is up, and when the
// client has gone; context.Cause tells which: context.Canceled,
// context.DeadlineExceeded, ErrClientGone, or what broke the connection. A client
// that has only stopped sending counts as gone, though an answer is still tried.
// Any goroutine.
func (d *Deferred) Context() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx == nil {
		d.ctx, d.stop = context.WithCancelCause(context.Background())
		if d.cause != nil {
			d.stop(d.cause)
		}
	}
	return d.ctx
}

// cancel ends the context.
func (d *Deferred) cancel(cause error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cause != nil {
		return
	}
	d.cause = cause
	if d.stop != nil {
		d.stop(cause)
	}
}
