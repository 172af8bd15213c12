package http1

import (
	"bytes"
	"cmp"
	"io"
	"net/http"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/httpparse"
	"github.com/eddynet/eddy/loop"
)

// heads is the pool for heads that are valid after OnData, some of them for long.
var heads = buffers.NewPool(8 << 10)

// session is one exchange, from the first byte of the request to the last of the response.
type session struct {
	server    *instance
	conn      *loop.Conn
	client    *client
	in        inbound
	out       outbound
	depth     int  // stack frames that still use the exchange: see proceed
	pinned    bool // the complete request refers to copies: see pin
	headTimer bool // the timeout of the head runs, from the first byte
	peerGone  bool // the client has stopped sending
	persist   bool // the connection persists: decided with the head of the response
	request   Request
	response  Response
	body      bodyReader
	headCopy  *buffers.Buffer // nil while the head is in the input
	deferred  *Deferred       // nil unless the response is, or was, deferred
	stream    *Stream         // nil unless the response is a stream
	awaited   *cancellation   // of the stream, or else the deferred response
	started   int64           // when the head was complete, on the loop's clock
	upgrade   loop.Protocol   // the next protocol of the connection
}

// run processes the requests in in, which begins where the last call ended, and returns the number
// of bytes used. Without input it continues an exchange that needs none.
func (x *session) run(in []byte) (used int) {
	x.depth++
	for budget := requestBudget; x.conn.Open() && x.upgrade == nil; {
		if x.in == idle && (used == len(in) || !x.beginRequest(&budget)) {
			break
		}
		if x.in == readingHead {
			used += x.readHead(in[used:])
		}
		if x.in == readingBody {
			used += x.body.read(x, in[used:])
		}
		if x.in == done && x.out == unhandled {
			x.respond(handling)
			x.call(x.server.handler)
			if x.out == handling {
				x.response.Finish()
			}
		}
		if x.in != done || x.out != responded || !x.conn.Open() || x.upgrade != nil {
			break
		}
		x.endExchange()
		x.reset()
	}
	if x.in == done && used < len(in) {
		// The next request waits for this response, and no more input is read meanwhile.
		x.conn.PauseRead()
	}
	x.depth--
	if x.in == idle {
		x.setTimeout()
	}
	x.pin()
	return used
}

// beginRequest reports whether the next request may be processed now.
func (x *session) beginRequest(budget *int) bool {
	if x.conn.Full() {
		return false // until there is room
	}
	if *budget--; *budget < 0 {
		x.conn.Redeliver() // after other connections
		return false
	}
	x.receive(readingHead)
	x.server.connState(x.client, http.StateActive)
	return true
}

func (x *session) readHead(in []byte) int {
	r := &x.request
	n, err := r.head.Parse(in, &x.server.options.Limits)
	switch {
	case err != nil:
		r.buf = in
		x.refuse(err)
		return 0
	case n == 0:
		if !x.headTimer {
			x.headTimer = true
			x.conn.SetTimeout(x.server.options.ReadHeaderTimeout)
		}
		return 0
	}
	x.server.count.Requests++
	r.buf = in[:n]
	x.started = x.conn.Loop().Now()
	x.body.continued = !r.head.ExpectContinue
	x.body.limit = x.server.options.MaxBodyBytes
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
	onHead := o.OnHead
	if x.conn.Overloaded() {
		onHead = refuseOverload
	}
	if onHead != nil {
		x.respond(handling)
		x.call(onHead)
		if x.out == handling {
			x.respond(unhandled)
		}
	}
	switch {
	case !x.conn.Open():
	case h.Framing == httpparse.ContentLength && h.Length > x.body.limit && x.out != responded:
		x.body.reject(x, errBodyTooLarge)
	default:
		x.receive(readingBody)
		x.body.start(x, rest)
	}
}

// do calls fn outside of run, and then continues the exchange.
func (x *session) do(fn func(*Response)) {
	x.depth++
	x.call(func(w *Response, _ *Request) { fn(w) })
	x.depth--
	x.proceed()
}

// call calls h. A panic is reported to the client, unless the response has begun.
func (x *session) call(h Handler) {
	x.depth++
	defer func() {
		x.depth--
		if v := recover(); v != nil {
			err := x.conn.Loop().Panicked(v)
			if x.out >= streaming {
				x.conn.Abort(err)
			} else {
				x.refuse(errPanic)
			}
		}
	}()
	h(&x.response, &x.request)
}

func (x *session) sent() {
	x.respond(responded)
	x.count()
	switch {
	case x.upgrade != nil:
	case !x.persist:
		x.conn.Close()
	case x.in != done:
		x.body.discard(x)
	}
	x.proceed()
}

// proceed continues the exchange outside of run, unless a function on the stack still uses it.
func (x *session) proceed() {
	if x.depth > 0 || !x.conn.Open() {
		return
	}
	if x.in == done && x.out == responded && x.leftBehind() && x.upgrade == nil {
		x.endExchange()
		x.setTimeout()
		x.server.release(x)
		x.conn.ResumeRead()
		if x.conn.EOF() && x.conn.Buffered() == 0 {
			x.conn.Close()
		}
		return
	}
	x.run(nil)
	switch {
	case !x.conn.Open():
	case x.upgrade != nil:
		x.switchProtocol()
	case x.in == idle:
		x.conn.ResumeRead()
		x.server.releaseIdle(x, x.conn.Buffered() > 0)
	}
}

// leftBehind reports whether other goroutines may still read the request, after the response of the
// deadline. Then the connection gets another session.
func (x *session) leftBehind() bool { return x.deferred != nil && !x.deferred.released }

func (x *session) endExchange() {
	x.receive(idle)
	x.server.connState(x.client, http.StateIdle)
	x.respond(unhandled)
}

func (x *session) reset() {
	x.request.reset()
	x.response.Reset()
	x.body.reset()
	if x.headCopy != nil {
		heads.Put(x.headCopy)
		x.headCopy = nil
	}
	x.pinned, x.headTimer = false, false
	x.deferred, x.stream, x.awaited = nil, nil, nil
}

// pin copies the parts of the request in the loop's input buffer, which is valid only during
// OnData: each part once, since other goroutines may read the copy.
func (x *session) pin() {
	r := &x.request
	if r.buf == nil || !x.conn.Open() || x.upgrade != nil || x.pinned {
		return
	}
	if x.headCopy == nil {
		x.headCopy = heads.Get()
		x.headCopy.B = append(x.headCopy.B, r.buf...)
		r.buf = x.headCopy.B
	}
	if x.in == done {
		x.pinned = true
		r.trailerBuf = bytes.Clone(r.trailerBuf)
		x.body.pin(r)
	}
}

// switchProtocol passes the connection, with the input after the request, on.
func (x *session) switchProtocol() {
	if !x.conn.Open() {
		return
	}
	server, conn, who, next := x.server, x.conn, x.client, x.upgrade
	server.release(x)
	conn.SetUserData(nil)
	server.connState(who, http.StateHijacked)
	conn.ResumeRead()
	conn.SetProtocol(next)
}

// peerClosed is called when the client has stopped sending. It may still read a response.
func (x *session) peerClosed() {
	x.peerGone = true
	if x.out == deferred || x.out == streaming {
		x.awaited.cancel(ErrClientGone)
	}
}

func (x *session) setTimeout() {
	o := &x.server.options
	d := o.HandlerTimeout
	switch {
	case x.in == idle && (x.conn.Loop().Draining() || x.server.noKeepAlive.Load()):
		d = x.conn.Settings().DrainGrace // the last response did not have Connection: close
	case x.in == idle:
		d = o.IdleTimeout
	case x.in == readingBody && !x.body.paused:
		d = x.body.timeout(x)
	case x.out == streaming && !x.stream.Room():
		d = 0 // WriteTimeout counts
	case x.deferred != nil && x.deferred.timeout > 0:
		d = x.deferred.timeout
	}
	x.conn.SetTimeout(d)
}

func (x *session) timedOut() {
	n := x.server.count
	switch {
	case x.in == idle:
		n.IdleTimeouts++
		x.conn.CloseIdle()
	case x.out == responded:
		n.BodyTimeouts++
		x.conn.Close()
	case x.out == streaming:
		n.StreamTimeouts++
		x.conn.Abort(loop.ErrTimeout)
	case x.in == readingHead:
		n.HeadTimeouts++
		x.refuse(errTooSlow)
	case x.in == readingBody && !x.body.paused:
		n.BodyTimeouts++
		x.refuse(errTooSlow)
	case x.deferred == nil: // a paused body
		n.HandlerTimeouts++
		x.refuse(errNoResponse)
	default:
		x.deferred.timedOut(x)
	}
}

func (x *session) closed(err error) {
	err = cmp.Or(err, ErrClientGone)
	if (x.in == readingBody || x.in == done) && x.out != responded {
		x.server.count.Unanswered++
	}
	if x.awaited != nil {
		x.awaited.cancel(err)
	}
	if x.stream != nil {
		x.stream.end(err)
	}
	x.body.abort(io.ErrUnexpectedEOF)
}
