package http1

import (
	"time"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/httpparse"
)

// bodies and largeBodies are the pools for bodies of requests: a large buffer is not for
// a few bytes that come slowly.
var (
	bodies      = buffers.NewPool(buffers.MaxKept)
	largeBodies = buffers.NewPool(defaultMaxBody)
)

// spaceFrom is how many bytes of a body must have come until the next are put behind
// them without a copy.
const spaceFrom = 16 << 10

func putBody(b *buffers.Buffer) {
	if cap(b.B) <= buffers.MaxKept {
		bodies.Put(b)
	} else {
		largeBodies.Put(b)
	}
}

// bodyReader takes a request's body off the input. A body that has come whole with
// its head is left where it is; any other is gathered, unless it goes to OnBody
// piece by piece, or is not wanted any more.
type bodyReader struct {
	limit     int64 // bytes; 413 beyond
	waiting   bool  // the deadline of the head runs
	paused    bool  // by the program
	pausedAt  int64 // on the loop's clock
	held      bool  // all has come, but the end is not told during a pause
	continued bool  // 100 Continue is sent, or was not asked for
	onDemand  bool  // 100 Continue waits for Request.proceed
	unwanted  bool  // the answer is given: what comes is read away
	inPlace   bool  // all of it stands behind the head
	chunks    httpparse.Chunked
	received  int64                         // bytes of the body
	gathered  *buffers.Buffer               // what has come; nil while nothing has been copied
	pieces    func(chunk []byte, last bool) // the program's OnBody
	space     []byte                        // the loop's, between ReadBuffer and OnData
	landing   *requestBody                  // the adapter's, where input may be put beside OnBody
	started   int64                         // when the body began, on the loop's clock
}

// begin is called at the end of the head.
func (b *bodyReader) begin(x *session) {
	b.waiting = false
	b.continued = !x.request.head.ExpectContinue
	b.limit = x.server.options.MaxBodyBytes
}

// expect is called when a body follows. rest is what of it is here.
func (b *bodyReader) expect(x *session, rest []byte) {
	h := &x.request.head
	if len(rest) == 0 && (x.out == unanswered || x.out == deferred) && !b.onDemand {
		b.sendContinue(x)
	}
	whole := h.Framing == httpparse.ContentLength && int64(len(rest)) >= h.Length
	if b.inPlace = whole && b.pieces == nil && !b.unwanted; b.inPlace {
		return
	}
	b.started = x.conn.Loop().Now()
	if b.pieces == nil && !b.unwanted {
		b.gathered = bodies.Get()
	}
	b.wait(x)
}

// sendContinue tells a client that waits for it to send the body.
func (b *bodyReader) sendContinue(x *session) {
	if !b.continued {
		b.continued = true
		_, _ = x.conn.WriteString("HTTP/1.1 100 Continue\r\n\r\n") // a failure ends the connection
	}
}

// wait moves the deadline with what has come: the peer owes MinBodyRate.
func (b *bodyReader) wait(x *session) {
	if b.paused {
		x.awaitAnswer()
		return
	}
	o := &x.server.options
	earned := time.Duration(b.received/int64(o.MinBodyRate)) * time.Second
	spent := time.Duration(x.conn.Loop().Now() - b.started)
	x.conn.SetTimeout(max(o.ReadTimeout+earned-spent, 1))
}

// read takes what in has of the body, and returns how much of in it has used.
func (b *bodyReader) read(x *session, in []byte) int {
	if b.paused {
		return 0
	}
	h := &x.request.head
	if h.Framing == httpparse.ChunkedBody {
		return b.readChunks(x, in)
	}
	if b.inPlace {
		n := int(h.Length) // read before the next request replaces it
		x.request.body = in[:n]
		x.bodyDone()
		return n
	}
	n := int(min(int64(len(in)), h.Length-b.received))
	if b.take(x, in[:n]) {
		b.proceed(x, b.received == h.Length)
	}
	return n
}

// take hands a piece of the body to where it belongs, and says whether the
// exchange goes on.
func (b *bodyReader) take(x *session, p []byte) bool {
	b.received += int64(len(p))
	switch {
	case b.unwanted:
		if b.received > x.server.options.MaxDiscardBytes {
			x.conn.Close()
		}
	case b.received > b.limit || b.chunks.Left() > b.limit-b.received:
		b.malformed(x, errBodyTooLarge)
	case b.pieces == nil:
		b.gather(p, x.request.head.Length)
	case len(p) > 0:
		b.deliver(x, p, false)
	}
	return x.conn.Open()
}

// gather appends a piece.
func (b *bodyReader) gather(p []byte, length int64) {
	if need := len(b.gathered.B) + len(p); need > cap(b.gathered.B) {
		b.grow(need, length)
	}
	b.gathered.B = append(b.gathered.B, p...)
}

// grow makes room for need bytes, and for more to come: up to the length, if it is known,
// but not beyond 16 times need. Memory follows what has come, not what was announced.
func (b *bodyReader) grow(need int, length int64) {
	old := b.gathered
	size := 4 * need
	if length > 0 {
		size = int(min(16*int64(need), length))
	}
	if size = max(size, need); size <= buffers.MaxKept {
		old.B = append(make([]byte, 0, size), old.B...)
		return
	}
	b.gathered = largeBodies.Get()
	if cap(b.gathered.B) < size {
		b.gathered.B = make([]byte, 0, size)
	}
	b.gathered.B = append(b.gathered.B, old.B...)
	putBody(old)
}

// room is where the loop may put what comes next of a large body: behind what was
// gathered, or where the reader wants it.
func (b *bodyReader) room(x *session) []byte {
	h := &x.request.head
	left := h.Length - b.received
	switch {
	case h.Framing != httpparse.ContentLength || b.unwanted:
		return nil
	case b.landing != nil:
		space := b.landing.space(x, left)
		if b.paused {
			b.wait(x) // for the reader, not for the client
		}
		return space
	case b.gathered == nil || len(b.gathered.B) < spaceFrom:
		return nil
	}
	if len(b.gathered.B) == cap(b.gathered.B) {
		b.grow(len(b.gathered.B)+1, h.Length)
	}
	free := b.gathered.B[len(b.gathered.B):cap(b.gathered.B)]
	return free[:min(int64(len(free)), left)]
}

// filled takes n bytes in the space.
func (b *bodyReader) filled(x *session, n int) {
	b.received += int64(n)
	if b.landing != nil {
		b.landing.filled(n)
	} else {
		b.gathered.B = b.gathered.B[:len(b.gathered.B)+n]
	}
	if n > 0 {
		b.proceed(x, b.received == x.request.head.Length)
	}
}

// deliver calls OnBody. A panic ends the exchange like one of the handler.
func (b *bodyReader) deliver(x *session, p []byte, last bool) {
	pieces := b.pieces
	x.call(func(*Response, *Request) { pieces(p, last) })
}

// proceed goes on after a piece: to the answer, if the body is complete.
func (b *bodyReader) proceed(x *session, done bool) {
	if !done {
		b.wait(x)
		return
	}
	if b.held = b.paused; b.held {
		x.awaitAnswer()
		return
	}
	if b.pieces != nil && !b.unwanted {
		if b.deliver(x, nil, true); !x.conn.Open() {
			return
		}
	}
	if b.gathered != nil {
		x.request.body = b.gathered.B
	}
	x.bodyDone()
}

// readChunks takes chunks, then the trailer section.
func (b *bodyReader) readChunks(x *session, in []byte) (used int) {
	for !b.chunks.Done() {
		data, n, err := b.chunks.Next(in[used:], &x.server.limits)
		if err != nil {
			b.malformed(x, err)
			return 0
		}
		used += n
		if !b.take(x, data) {
			return 0
		}
		if used == len(in) && !b.chunks.Done() || b.paused {
			b.proceed(x, false)
			return used
		}
	}
	r := &x.request
	n, err := r.trailer.Parse(in[used:], &x.server.limits)
	switch {
	case err != nil:
		b.malformed(x, err)
		return 0
	case n == 0:
		b.proceed(x, false)
		return used
	}
	r.trailerBuf = in[used : used+n]
	b.proceed(x, true)
	return used + n
}

// malformed handles a body that breaks a rule or a limit, which an answer that has
// begun cannot tell.
func (b *bodyReader) malformed(x *session, err error) {
	switch x.out {
	case answered:
		x.server.count().BrokenBodies++
		x.conn.Close()
	case streaming:
		x.server.count().BrokenBodies++
		x.conn.Abort(err)
	default:
		x.refuse(err)
	}
}

// bounded says whether the rest of the body is known to be within MaxDiscardBytes: only
// then does an answer that is given before the end of the body leave out
// Connection: close. The length of a chunked body is not known before its end.
func (b *bodyReader) bounded(x *session) bool {
	return x.in == complete || x.request.head.Framing != httpparse.ChunkedBody && b.discardable(x)
}

// discardable says whether the rest of the body may be discarded, so that the
// connection can go on.
func (b *bodyReader) discardable(x *session) bool {
	h := &x.request.head
	switch {
	case x.in == complete:
		return true
	case !b.continued:
		return false // the client may send the body, or not
	case h.Framing == httpparse.ContentLength:
		return h.Length <= x.server.options.MaxDiscardBytes
	}
	return true // a chunked body is cut off when it turns out too long
}

// discard is called when the answer is given before the body is complete.
func (b *bodyReader) discard(x *session) {
	b.unwanted = true
	if b.paused {
		b.paused = false
		x.conn.ResumeRead()
	}
	b.pieces, b.landing = nil, nil
	if b.gathered != nil {
		putBody(b.gathered)
		b.gathered = nil
	}
	x.request.body = nil
	if !b.discardable(x) || b.received > x.server.options.MaxDiscardBytes {
		x.conn.Close()
		return
	}
	if x.in == inBody {
		x.conn.ResumeRead()
		b.proceed(x, b.held)
	}
}

// pin copies a body that stands in the loop's input buffer.
func (b *bodyReader) pin(r *Request) {
	if b.gathered != nil || len(r.body) == 0 {
		return
	}
	b.gathered = bodies.Get()
	b.gathered.B = append(b.gathered.B, r.body...)
	r.body = b.gathered.B
}

func (b *bodyReader) reset() {
	if b.gathered != nil {
		putBody(b.gathered)
	}
	*b = bodyReader{}
}
