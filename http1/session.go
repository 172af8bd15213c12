package http1

import (
	"bytes"
	"io"
	"net/http"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/httpparse"
	"github.com/eddynet/eddy/loop"
)

// heads is the pool for heads that outlive OnData, some of them for long.
var heads = buffers.NewPool(8 << 10)

// session is the work on a connection's exchange, from the first byte of a request
// to the last of its answer. An idle connection has none. It belongs to the loop.
type session struct {
	server   *instance
	conn     *loop.Conn
	value    any // of Options.OnOpen
	in       inbound
	out      outbound
	depth    int  // frames on the stack that still need the exchange: see settle
	pinned   bool // the complete request refers to copies: see pin
	gone     bool // the client has stopped sending
	persist  bool // decided with the head of the answer: the connection goes on
	request  Request
	response Response
	body     bodyReader
	kept     *buffers.Buffer // copy of the head, once it outlives OnData
	deferred *Deferred       // the answer in work, if it is deferred
	stream   *Stream         // the answer in work, if it is streamed
	started  int64           // when the head was complete, on the loop's clock
	upgrade  loop.Protocol   // what the connection will speak after this exchange
	leaving  *leaving        // of Hijack
}

// run takes requests from in, and returns how many bytes it has used. in begins where
// the call before left off. Without input, it goes on with an exchange that does not need
// any more.
func (x *session) run(in []byte) (used int) {
	x.depth++
	for budget := requestBudget; x.conn.Open() && x.upgrade == nil; x.over() {
		if x.in == between && (used == len(in) || !x.mayBegin(&budget)) {
			break
		}
		if x.in == inHead {
			used += x.readHead(in[used:])
		}
		if x.in == inBody {
			used += x.body.read(x, in[used:])
		}
		if x.in == complete && x.out == unanswered {
			x.handle()
		}
		if x.in != complete || x.out != answered || !x.conn.Open() || x.upgrade != nil {
			break
		}
	}
	if x.in == complete && used < len(in) {
		// The next request waits unparsed until this one is answered, and no more is
		// read than the one read that brought it.
		x.conn.PauseRead()
	}
	x.depth--
	x.idle()
	x.pin()
	return used
}

// mayBegin says whether the next request has its turn, and begins it.
func (x *session) mayBegin(budget *int) bool {
	if x.conn.Full() {
		return false // until there is room
	}
	if *budget--; *budget < 0 {
		x.conn.Redeliver() // after the others
		return false
	}
	x.receive(inHead)
	x.server.connState(x.value, http.StateActive)
	return true
}

// filled takes a part of the body that stands where it belongs, unless a handler around
// this one has put it elsewhere.
func (x *session) filled(in []byte) (used int) {
	used = len(in)
	if space := x.body.space; used > 0 && &in[0] != &space[0] {
		used = copy(space, in)
	}
	x.depth++
	x.body.filled(x, used)
	x.depth--
	x.run(nil)
	return used
}

// readHead parses the head, and returns its length once it is complete.
func (x *session) readHead(in []byte) int {
	r := &x.request
	n, err := r.head.Parse(in, &x.server.limits)
	switch {
	case err != nil:
		r.buf = in
		x.refuse(err)
		return 0
	case n == 0:
		if !x.body.waiting {
			// From the first byte, and not again with the next ones.
			x.body.waiting = true
			x.conn.SetTimeout(x.server.options.ReadHeaderTimeout)
		}
		return 0
	}
	x.server.count().Requests++
	r.buf = in[:n]
	x.started = x.conn.Loop().Now()
	x.body.begin(x)
	x.response.begin()
	x.headDone(in[n:])
	return n
}

// headDone decides what follows a head. rest is the input after it.
func (x *session) headDone(rest []byte) {
	h, o := &x.request.head, &x.server.options
	switch {
	case h.ExpectUnknown:
		x.refuse(errExpectation)
		return
	case h.Form == httpparse.AuthorityForm && !o.AllowConnect:
		x.refuse(errConnect)
		return
	}
	if o.OnHead != nil {
		x.answer(handling)
		x.call(o.OnHead)
		if x.out == handling {
			x.answer(unanswered)
		}
	}
	switch {
	case !x.conn.Open():
	case h.Framing == httpparse.ContentLength && h.Length > x.body.limit && x.out != answered:
		x.body.malformed(x, errBodyTooLarge)
	default:
		x.receive(inBody)
		x.body.expect(x, rest)
	}
}

// handle calls the handler for a request that is complete.
func (x *session) handle() {
	x.answer(handling)
	x.call(x.server.handler)
	if x.out == handling {
		x.response.Finish()
	}
}

// do calls fn outside of run, and goes on from there.
func (x *session) do(fn func(*Response)) {
	x.depth++
	x.call(func(w *Response, _ *Request) { fn(w) })
	x.depth--
	x.settle()
}

// call runs h. If it panics, the client gets an error, unless an answer has begun.
func (x *session) call(h Handler) {
	x.depth++
	defer func() {
		x.depth--
		if v := recover(); v != nil {
			x.panicked(v)
		}
	}()
	h(&x.response, &x.request)
}

func (x *session) panicked(v any) {
	err := x.conn.Loop().Panicked(v)
	if x.out == streaming || x.out == answered {
		x.conn.Abort(err)
		return
	}
	x.refuse(errPanic)
}

// sent follows the last byte of an answer.
func (x *session) sent() {
	x.answer(answered)
	if log := x.server.options.AccessLog; log != nil {
		x.logAnswer(log)
	}
	x.countAnswer()
	switch {
	case x.upgrade != nil:
	case !x.persist:
		x.conn.Close()
	case x.in != complete:
		x.body.discard(x)
	}
	x.settle()
}

// settle goes on after something has happened outside of run, which looks by itself.
// While anything on the stack needs the exchange, the program's handler above all, its
// request and answer stay what they are.
func (x *session) settle() {
	if x.depth > 0 || !x.conn.Open() {
		return
	}
	if x.in == complete && x.out == answered && x.deferred != nil && !x.deferred.settled && x.upgrade == nil {
		x.leave()
		return
	}
	x.run(nil)
	switch {
	case !x.conn.Open():
	case x.upgrade != nil:
		x.become()
	case x.in == between:
		x.conn.ResumeRead()
		x.server.rest(x, x.conn.Buffered() > 0)
	}
}

// leave is over for an exchange whose request somebody may still be reading, after an
// answer of the deadline: the session is left to them, and the connection gets another.
func (x *session) leave() {
	x.receive(between)
	x.server.connState(x.value, http.StateIdle)
	x.answer(unanswered)
	x.idle()
	x.conn.SetUserData(x.value)
	x.conn.ResumeRead()
	if x.conn.EOF() && x.conn.Buffered() == 0 {
		x.conn.Close()
	}
}

// over follows a whole exchange: the next one may begin.
func (x *session) over() {
	x.receive(between)
	x.server.connState(x.value, http.StateIdle)
	x.answer(unanswered)
	x.reset()
}

// idle sets the deadline between two requests.
func (x *session) idle() {
	switch {
	case x.in != between:
	case x.conn.Loop().Draining() || x.server.noKeepAlive.Load():
		x.conn.SetTimeout(x.conn.Settings().DrainGrace) // its answer had begun before, and has not announced the end
	default:
		x.conn.SetTimeout(x.server.options.IdleTimeout)
	}
}

// reset makes the session ready for the next exchange.
func (x *session) reset() {
	x.request.reset()
	x.response.reset()
	x.body.reset()
	if x.kept != nil {
		heads.Put(x.kept)
		x.kept = nil
	}
	x.pinned = false
	x.deferred = nil
	x.stream = nil
}

// pin copies what the request refers to in the loop's input buffer, because it
// goes on after OnData. Each part is replaced once, since other goroutines may read
// it from then on.
func (x *session) pin() {
	r := &x.request
	if r.buf == nil || !x.conn.Open() || x.upgrade != nil || x.pinned {
		return
	}
	if x.kept == nil {
		x.kept = heads.Get()
		x.kept.B = append(x.kept.B, r.buf...)
		r.buf = x.kept.B
	}
	if x.in == complete {
		x.pinned = true
		r.trailerBuf = bytes.Clone(r.trailerBuf)
		x.body.pin(r)
	}
}

// become hands the connection to the protocol that it was upgraded to, together
// with the input behind the request.
func (x *session) become() {
	if !x.conn.Open() {
		return
	}
	server, conn, value, next := x.server, x.conn, x.value, x.upgrade
	server.release(x)
	conn.SetUserData(nil)
	server.connState(value, http.StateHijacked)
	conn.ResumeRead()
	conn.SetProtocol(next)
}

// clientLeft is told that the client has stopped sending. An answer is still tried.
func (x *session) clientLeft() {
	x.gone = true
	switch x.out {
	case deferred:
		x.deferred.abandon(ErrClientGone)
	case streaming:
		x.stream.abandon(ErrClientGone)
	}
}

// awaitAnswer sets the deadline for an answer that comes later.
func (x *session) awaitAnswer() {
	if x.in == inBody && !x.body.paused {
		return // the body's deadline runs
	}
	if x.out == streaming && !x.stream.Room() {
		x.conn.SetTimeout(0) // that of its output runs
		return
	}
	d := x.server.options.HandlerTimeout
	if x.deferred != nil && x.deferred.timeout > 0 {
		d = x.deferred.timeout
	}
	x.conn.SetTimeout(d)
}

// timedOut handles the deadline of the state.
func (x *session) timedOut() {
	n := x.server.count()
	waiting := x.in == inHead || x.in == inBody && !x.body.paused
	switch {
	case x.in == between:
		n.IdleTimeouts++
		x.conn.CloseIdle()
	case x.out == answered:
		n.BodyTimeouts++
		x.conn.Close()
	case x.out == streaming:
		n.StreamTimeouts++
		x.conn.Abort(loop.ErrTimeout)
	case waiting:
		if x.in == inHead {
			n.HeadTimeouts++
		} else {
			n.BodyTimeouts++
		}
		x.refuse(errTooSlow)
	case x.deferred == nil:
		n.HandlerTimeouts++
		x.refuse(errUnanswered) // a body that was paused, and not resumed
	default:
		x.deferred.timedOut(x)
	}
}

// closed is told that the connection is gone.
func (x *session) closed(err error) {
	if err == nil {
		err = ErrClientGone
	}
	if (x.in == inBody || x.in == complete) && x.out != answered {
		x.server.count().Unanswered++
	}
	if x.deferred != nil {
		x.deferred.abandon(err)
	}
	if x.stream != nil {
		x.stream.closed(err)
	}
	x.body.fail(io.ErrUnexpectedEOF)
	if x.leaving != nil {
		x.leaving.leave(x.conn.Loop().Logger(), nil, nil, err) // it has broken before it could leave
	}
}
