package http1

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/eddynet/eddy/loop"
)

// Deferred is an answer that comes later than the handler's return. It is safe on
// any goroutine, also when the client has gone. It costs no goroutine.
type Deferred struct {
	ref      loop.Ref
	timeout  time.Duration // 0 for Options.HandlerTimeout
	answered atomic.Bool
	settled  bool            // the answer was written: nobody uses the request any more. Loop only
	onGone   func(error)     // loop only
	onLate   func(*Response) // loop only
	broken   func(error)     // loop only: what is missing of the body will not come
	working  bool            // a goroutine is at work until it ends the lifetime, beyond its answer
	lifetime lifetime
}

// Defer keeps the exchange open after the handler has returned. Later requests of
// the connection wait until it is answered, by Respond. If no answer comes within
// Options.HandlerTimeout, the client gets 503, or what OnTimeout writes. Call it once,
// in the handler or in OnHead: a second call panics. Loop only.
func (w *Response) Defer() *Deferred { return w.DeferFor(0) }

// DeferFor is Defer with a timeout of its own in place of Options.HandlerTimeout.
func (w *Response) DeferFor(timeout time.Duration) *Deferred {
	x := w.session
	x.answer(deferred)
	x.deferred = &Deferred{ref: x.conn.Ref(), timeout: timeout}
	x.pin() // other goroutines may read the request from now on
	x.awaitAnswer()
	if w.body != nil && len(w.body.B) == 0 {
		w.dropBody() // nothing is held while waiting
	}
	if x.gone {
		x.deferred.clientLeft(ErrClientGone)
	}
	return x.deferred
}

// Respond has fn write the answer, on the connection's loop, which it must not
// block. It returns ErrAnswered if the request was answered before, by the deadline
// too, and ErrClientGone if the connection is gone. If it goes before fn had its turn, fn
// is not called. The request must not be used after the call, other than by fn. Any
// goroutine.
func (d *Deferred) Respond(fn func(w *Response)) error {
	if !d.claim() {
		return ErrAnswered
	}
	return d.do(func(c *loop.Conn) { d.respond(c, fn) })
}

// do hands what settles the answer to the loop.
func (d *Deferred) do(fn func(*loop.Conn)) error {
	if d.ref.DoUnbounded(fn) != nil {
		return ErrClientGone
	}
	return nil
}

// Abort ends the connection without an answer: for a client that has gone, which need
// not be kept until the deadline. It returns ErrAnswered if there is an answer, and
// ErrClientGone if the connection is gone. The request must not be used after the call.
// Any goroutine.
func (d *Deferred) Abort() error {
	if !d.claim() {
		return ErrAnswered
	}
	return d.do(d.abort)
}

// abort runs on the loop.
func (d *Deferred) abort(c *loop.Conn) {
	if d.session(c) != nil {
		d.settled = true
		d.lifetime.end(context.Canceled)
		c.Close()
	}
}

// session is that of the exchange, nil if it is over. Loop only.
func (d *Deferred) session(c *loop.Conn) *session {
	x, ok := c.UserData().(*session)
	if !ok || x.deferred != d || x.out != deferred || !c.Open() {
		return nil
	}
	return x
}

// OnTimeout has fn write the answer when the time for it is up, in place of 503: a long
// poll may end with 204. The connection goes on, and whoever still works on the request
// may read it as before. Loop only, as fn is.
func (d *Deferred) OnTimeout(fn func(w *Response)) { d.onLate = fn }

// timedOut is told that the time for the answer is up.
func (d *Deferred) timedOut(x *session) {
	d.lifetime.end(context.DeadlineExceeded)
	switch {
	case !d.claim(): // the answer is on its way through the inbox
		return
	case d.onLate != nil:
		x.response.close = x.response.close || x.in != complete
		d.write(x, d.onLate) // not settled: whoever works on it may still read the request
	default:
		x.refuse(errUnanswered)
	}
	x.server.count().HandlerTimeouts++
}

// claim makes sure that a request is answered once.
func (d *Deferred) claim() bool { return d.answered.CompareAndSwap(false, true) }

// respond runs on the loop.
func (d *Deferred) respond(c *loop.Conn, fn func(w *Response)) {
	x := d.session(c)
	if x == nil {
		return
	}
	d.settled = true
	if !d.working {
		d.lifetime.end(context.Canceled) // answered: whoever still works on it may stop
	}
	d.write(x, fn)
}

// write has fn write the answer.
func (d *Deferred) write(x *session, fn func(w *Response)) {
	x.depth++
	x.call(func(w *Response, _ *Request) { fn(w) })
	if x.out == deferred {
		x.response.Finish()
	}
	x.depth--
	x.settle()
}

// OnGone has fn called, once, if the client goes away before the answer is given; at
// once, if it has gone already. A client that has only stopped sending waits for its
// answer: the connection stays open until there is one, or the deadline has passed.
// Loop only, as fn is.
func (d *Deferred) OnGone(fn func(cause error)) {
	if cause := d.lifetime.ended(); cause != nil && !d.settled {
		fn(cause)
		return
	}
	d.onGone = fn
}

// clientLeft is told that the client has gone, or has stopped sending.
func (d *Deferred) clientLeft(cause error) {
	d.lifetime.end(cause)
	if fn := d.onGone; fn != nil && !d.settled {
		d.onGone = nil
		fn(cause)
	}
}

// breakOff tells a reader of the body that no more will come.
func (d *Deferred) breakOff(cause error) {
	if d.broken != nil {
		d.broken(cause)
	}
}

// Context is cancelled when the answer is given, when its time is up, and when the
// client has gone; context.Cause tells which: context.Canceled,
// context.DeadlineExceeded, ErrClientGone, or what broke the connection. A client
// that has only stopped sending counts as gone, though an answer is still tried.
// Any goroutine.
func (d *Deferred) Context() context.Context { return d.lifetime.context() }
