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
	departure
	ref      loop.Ref
	loop     *loop.Loop
	conn     *loop.Conn    // loop only
	timeout  time.Duration // 0 for Options.HandlerTimeout
	answered atomic.Bool
	onLate   func(*Response) // loop only
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
	x.deferred = &Deferred{ref: x.conn.Ref(), loop: x.conn.Loop(), conn: x.conn, timeout: timeout}
	x.pin() // other goroutines may read the request from now on
	x.awaitAnswer()
	if w.body != nil && len(w.body.B) == 0 {
		w.dropBody() // nothing is held while waiting
	}
	if x.gone {
		x.deferred.abandon(ErrClientGone)
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
	err := d.ref.DoUnbounded(func(*loop.Conn) {
		if x := d.session(); x != nil && x.out == deferred {
			d.settle()
			d.write(x, fn)
		}
	})
	if err != nil {
		return ErrClientGone
	}
	return nil
}

// Do has fn called on the connection's loop, which it must not block, in the middle of an
// exchange: to send an interim answer, to resume the body, or to answer after all, with
// Finish, Stream, Hijack or Drop. w is nil if there is nothing to be done any more: the
// answer is complete, or the connection gone. The error says that fn will not be called,
// because the loop has ended. Any goroutine.
func (d *Deferred) Do(fn func(w *Response)) error {
	err := d.loop.PostUnbounded(func() {
		x := d.session()
		if x == nil {
			fn(nil)
			return
		}
		x.do(func(w *Response) {
			fn(w)
			if x.out != deferred && d.claim() {
				d.settle()
			}
		})
	})
	if err != nil {
		return ErrClientGone
	}
	return nil
}

// Abort ends the connection without an answer: for a client that has gone, which need
// not be kept until the deadline. It returns ErrAnswered if there is an answer, and
// ErrClientGone if the connection is gone. The request must not be used after the call.
// Any goroutine.
func (d *Deferred) Abort() error { return d.Respond((*Response).Drop) }

// session is that of the exchange, nil if that has its answer or is over. Loop only.
func (d *Deferred) session() *session {
	x, ok := d.conn.UserData().(*session)
	if !ok || x.deferred != d || x.out == answered || !d.conn.Open() {
		return nil
	}
	return x
}

// OnTimeout has fn write the answer when the time for it is up, in place of 503: a long
// poll may end with 204. The connection goes on, and whoever still works on the request
// may read it as before. Loop only, as fn is.
func (d *Deferred) OnTimeout(fn func(w *Response)) { d.onLate = fn }

// timedOut is called when the time for the answer is up.
func (d *Deferred) timedOut(x *session) {
	switch {
	case !d.claim(): // the answer is on its way through the inbox
		d.lifetime.End(context.DeadlineExceeded)
		return
	case d.onLate != nil:
		d.lifetime.End(context.DeadlineExceeded)
		x.response.head.Close = x.response.head.Close || x.in != complete
		d.write(x, d.onLate) // not settled: whoever works on it may still read the request
	default:
		d.abandon(context.DeadlineExceeded)
		x.refuse(errUnanswered)
	}
	x.server.count().HandlerTimeouts++
}

// claim makes sure that a request is answered once.
func (d *Deferred) claim() bool { return d.answered.CompareAndSwap(false, true) }

// settle notes that the answer is given: whoever still works on it may stop. Loop only.
func (d *Deferred) settle() {
	d.settled = true
	d.lifetime.End(context.Canceled)
}

// write has fn write the answer.
func (d *Deferred) write(x *session, fn func(w *Response)) {
	x.do(func(w *Response) {
		fn(w)
		if x.out == deferred {
			w.Finish()
		}
	})
}
