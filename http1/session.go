package http1

import (
	"context"
	"time"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/httpparse"
	"github.com/eddynet/eddy/loop"
)

// session is the work on a connection's request, from the first byte of its head
// to the last of its answer. An idle connection has none. It belongs to the loop.
type session struct {
	server   *Server
	conn     *loop.Conn
	state    state
	running  bool // within run
	gone     bool // the client has stopped sending
	request  Request
	response Response
	body     bodyReader
	kept     *buffers.Buffer // copy of the head, and the trailers behind it, once they outlive OnData
	deferred *Deferred       // the answer in work, if it is deferred
	stream   *Stream         // the answer in work, if it is streamed
	started  int64           // when the head was complete, on the loop's clock
}

// run takes requests from in, and returns how much it has used. in begins where
// the call before left off.
func (x *session) run(in []byte) (used int) {
	x.running = true
	used = x.take(in)
	x.running = false
	x.pin()
	return used
}

func (x *session) take(in []byte) (used int) {
	for budget := requestBudget; used < len(in) && x.conn.Open(); {
		n := 0
		switch x.state {
		case idle:
			if budget--; budget < 0 {
				x.conn.Again() // after the others
				return used
			}
			if x.conn.Full() {
				return used // until there is room
			}
			x.enter(head)
			continue
		case head:
			n = x.readHead(in[used:])
		case body:
			n = x.body.read(x, in[used:])
		default:
			// The next request waits unparsed until this one is answered, and no
			// more is read than the one read that brought it.
			x.conn.PauseRead()
		}
		if n == 0 {
			return used
		}
		used += n
	}
	return used
}

// readHead parses the head, and returns its length once it is complete.
func (x *session) readHead(in []byte) int {
	r := &x.request
	n, err := r.head.Parse(in, &x.server.limits)
	if err != nil {
		r.buf = in
		x.refuse(err)
		return 0
	}
	if n == 0 {
		if !x.body.waiting {
			// From the first byte, and not again with the next ones.
			x.body.waiting = true
			x.conn.SetDeadline(x.server.options.ReadHeaderTimeout)
		}
		return 0
	}
	r.buf = in[:n]
	x.started = x.conn.Loop().Now()
	x.body.waiting = false
	x.begin(in[n:])
	return n
}

// begin decides what follows a head. rest is the input behind it.
func (x *session) begin(rest []byte) {
	h := &x.request.head
	switch {
	case h.ExpectUnknown:
		x.refuse(errExpectation)
	case h.Form == httpparse.AuthorityForm && !x.server.options.AllowConnect:
		x.refuse(errConnect)
	case h.Framing == httpparse.ContentLength && h.Length > x.server.options.MaxBodyBytes:
		x.refuse(errBodyTooLarge)
	case h.Framing == httpparse.NoBody || h.Framing == httpparse.ContentLength && h.Length == 0:
		x.handle()
	default:
		x.enter(body)
		x.body.begin(x, rest)
	}
}

// handle calls the handler for a complete request.
func (x *session) handle() {
	x.enter(handling)
	x.response.begin()
	x.call(x.server.handler)
	if x.state == handling {
		x.response.finish()
	}
}

// call runs h. If it panics, the client gets an error, unless an answer has begun.
func (x *session) call(h Handler) {
	defer func() {
		if v := recover(); v != nil {
			x.panicked(v)
		}
	}()
	h(&x.response, &x.request)
}

func (x *session) panicked(v any) {
	err := x.conn.Loop().Panicked(v)
	if x.state == handling || x.state == deferred {
		x.refuse(errPanic)
		return
	}
	x.conn.Abort(err)
}

// answered ends the exchange. If the connection persists, the next one may begin.
func (x *session) answered(persist bool) {
	x.logAnswer()
	if !persist {
		x.enter(closing)
		x.conn.Close()
		return
	}
	x.enter(idle)
	x.reset()
	x.conn.SetDeadline(x.server.options.IdleTimeout)
	if !x.running {
		x.resume()
	}
}

// resume goes on after an answer that came later than its handler's return.
func (x *session) resume() {
	x.conn.ResumeRead()
	x.server.rest(x, x.conn.Buffered() > 0)
}

// reset makes the session ready for the next request.
func (x *session) reset() {
	x.request.reset()
	x.response.reset()
	x.body.reset()
	if x.kept != nil {
		buffers.Put(x.kept)
		x.kept = nil
	}
	x.deferred = nil
	x.stream = nil
}

// pin copies what the request refers to in the loop's input buffer, because it
// goes on after OnData.
func (x *session) pin() {
	r := &x.request
	if r.buf == nil || x.state == closing {
		return
	}
	if x.kept == nil {
		x.kept = buffers.Get()
		x.kept.B = append(x.kept.B, r.buf...)
	}
	n := len(r.buf)
	if len(x.kept.B) < n+len(r.trailerBuf) {
		x.kept.B = append(x.kept.B, r.trailerBuf...)
	}
	r.buf, r.trailerBuf = x.kept.B[:n], x.kept.B[n:]
	x.body.pin(r)
}

// clientLeft is told that the client has stopped sending. The answer is still
// tried.
func (x *session) clientLeft() {
	x.gone = true
	if x.deferred != nil {
		x.deferred.cancel(ErrClientGone)
	}
}

// timedOut handles the deadline of the state.
func (x *session) timedOut() {
	switch x.state {
	case idle:
		x.conn.Close()
	case head, body:
		x.refuse(errTooSlow)
	case deferred:
		x.deferred.cancel(context.DeadlineExceeded)
		if x.deferred.claim() == nil { // else the answer is on its way through the inbox
			x.refuse(errUnanswered)
		}
	default:
		x.conn.Abort(loop.ErrTimeout)
	}
}

// closed is told that the connection is gone.
func (x *session) closed(err error) {
	if err == nil {
		err = ErrClientGone
	}
	if x.deferred != nil {
		x.deferred.cancel(err)
	}
	if x.stream != nil {
		x.stream.closed(err)
	}
}

// handlerDeadline bounds the wait for an answer.
func (x *session) handlerDeadline(d time.Duration) {
	if d <= 0 {
		d = x.server.options.HandlerTimeout
	}
	x.conn.SetDeadline(d)
}
