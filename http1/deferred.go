package http1

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/eddynet/eddy/loop"
)

// Deferred is a response after the handler's return. It needs no goroutine while it waits.
type Deferred struct {
	cancellation
	conn      *loop.Conn      // loop only
	timeout   time.Duration   // 0 for Options.HandlerTimeout. Loop only
	onTimeout func(*Response) // nil for 503. Loop only
	claimed   atomic.Bool     // by Respond, Do, or the deadline
}

// Defer leaves the response to Respond, for which later requests of the connection wait; after
// Options.HandlerTimeout it is 503: see SetTimeout. Call it once, in the handler or in OnHead: a
// second call panics. Loop only.
func (w *Response) Defer() *Deferred {
	x := w.session
	x.respond(deferred)
	x.deferred = &Deferred{conn: x.conn}
	x.deferred.begin(x)
	x.pin() // other goroutines may read the request from now on
	if w.body != nil && len(w.body.B) == 0 {
		w.dropBody() // no buffer is kept meanwhile
	}
	return x.deferred
}

// SetTimeout limits the time until the response, from now; 0 is Options.HandlerTimeout. At the
// deadline fn writes the response, such as 204 for a long poll, and the connection persists; other
// goroutines may still read the request. nil is 503, and closes the connection. Loop only, like fn.
func (d *Deferred) SetTimeout(timeout time.Duration, fn func(w *Response)) {
	d.timeout, d.onTimeout = timeout, fn
	if x := d.session(); x != nil {
		x.setTimeout()
	}
}

// Respond has fn write the response, on the loop; fn must not block. For a client that has gone,
// (*Response).Drop ends the connection. The error is ErrAnswered after a response, also that of the
// deadline, or ErrClientGone. If the connection ends before, fn is not called. Only fn may use the
// request after the call. Any goroutine.
func (d *Deferred) Respond(fn func(w *Response)) error {
	if !d.claim() {
		return ErrAnswered
	}
	return orGone(d.ref.DoUnbounded(func(*loop.Conn) {
		if x := d.session(); x != nil && x.out == deferred {
			d.release()
			d.write(x, fn)
		}
	}))
}

func orGone(err error) error {
	if err != nil {
		return ErrClientGone
	}
	return nil
}

// Do calls fn on the loop during the exchange: to send an interim response, to resume the body, or
// to respond with Finish, Stream, Hijack or Drop. fn must not block. w is nil after the response or
// the end of the connection. An error says that the loop has ended, without a call. Any goroutine.
func (d *Deferred) Do(fn func(w *Response)) error {
	return orGone(d.loop.PostUnbounded(func() {
		x := d.session()
		if x == nil {
			fn(nil)
			return
		}
		x.do(func(w *Response) {
			fn(w)
			if x.out != deferred && d.claim() {
				d.release()
			}
		})
	}))
}

// session is nil after the response or the end of the connection. Loop only.
func (d *Deferred) session() *session {
	x, ok := d.conn.UserData().(*session)
	if !ok || x.deferred != d || x.out == responded || !d.conn.Open() {
		return nil
	}
	return x
}

func (d *Deferred) timedOut(x *session) {
	d.lifetime.End(context.DeadlineExceeded)
	switch {
	case !d.claim(): // the response is in the loop's queue
		return
	case d.onTimeout != nil:
		x.response.head.Close = x.response.head.Close || x.in != done
		d.write(x, d.onTimeout) // without release: other goroutines may still read the request
	default:
		d.cancel(context.DeadlineExceeded)
		x.refuse(errNoResponse)
	}
	x.server.count.HandlerTimeouts++
}

// claim reports whether the caller is the first one, who may respond.
func (d *Deferred) claim() bool { return d.claimed.CompareAndSwap(false, true) }

// release ends the context, when the program has given the response. Loop only.
func (d *Deferred) release() {
	d.released = true
	d.lifetime.End(context.Canceled)
}

func (d *Deferred) write(x *session, fn func(w *Response)) {
	x.do(func(w *Response) {
		fn(w)
		if x.out == deferred {
			w.Finish()
		}
	})
}
