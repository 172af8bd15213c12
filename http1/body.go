package http1

import (
	"io"
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
	ended     bool  // all has come
	continued bool  // 100 Continue is sent, or was not asked for
	unwanted  bool  // the answer is given: what comes is discarded
	inPlace   bool  // all of it stands behind the head
	pausedAt  int64 // on the loop's clock
	started   int64 // when the body began, on the loop's clock
	received  int64 // bytes of the body
	chunks    httpparse.Chunked
	gathered  *buffers.Buffer               // what has come; nil while nothing has been copied
	pieces    func(chunk []byte, err error) // the program's OnBody
	buffer    func(left int64) []byte       // the program's OnBodyBuffer
	space     []byte                        // where the loop is about to read
}

// begin is called at the end of the head.
func (b *bodyReader) begin(x *session) {
	b.waiting = false
	b.continued = !x.request.head.ExpectContinue
	b.limit = x.server.options.MaxBodyBytes
}

// expect is called when a body follows, which may be empty. rest is what of it is here.
func (b *bodyReader) expect(x *session, rest []byte) {
	h := &x.request.head
	chunked := h.Framing == httpparse.ChunkedBody
	b.ended = !chunked && h.Length == 0
	switch {
	case b.paused:
	case b.ended:
		b.end(x)
		return
	case len(rest) == 0:
		b.sendContinue(x)
	}
	b.inPlace = !chunked && int64(len(rest)) >= h.Length && b.pieces == nil && !b.unwanted
	b.started = x.conn.Loop().Now()
}

// sendContinue tells a client that waits for it to send the body, unless the answer has
// begun.
func (b *bodyReader) sendContinue(x *session) {
	if !b.continued && x.out < streaming {
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
	x.conn.SetDeadline(max(o.ReadTimeout+earned-spent, 1))
}

// read takes what in has of the body, and returns how much of in it has used.
func (b *bodyReader) read(x *session, in []byte) (used int) {
	length := x.request.head.Length
	switch {
	case b.paused || b.ended:
	case x.request.head.Framing == httpparse.ChunkedBody:
		used = b.readChunks(x, in)
	case !b.inPlace:
		used = int(min(int64(len(in)), length-b.received))
		b.take(x, in[:used])
		b.ended = b.received == length
	case int64(len(in)) >= length:
		x.request.body = in[:length]
		used, b.ended = int(length), true
	}
	switch {
	case !x.conn.Open():
	case b.ended && !b.paused:
		b.end(x)
	default:
		b.wait(x)
	}
	return used
}

// end follows the last byte of a body, or the end of a pause after that.
func (b *bodyReader) end(x *session) {
	if b.pieces != nil {
		b.deliver(x, nil, io.EOF)
	}
	if !x.conn.Open() {
		return
	}
	if b.gathered != nil {
		x.request.body = b.gathered.B
	}
	x.receive(complete)
	if x.out == deferred || x.out == streaming {
		x.awaitAnswer()
	}
}

// take hands a piece of the body to where it belongs.
func (b *bodyReader) take(x *session, p []byte) {
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
		b.deliver(x, p, nil)
	}
}

// gather appends a piece.
func (b *bodyReader) gather(p []byte, length int64) {
	if b.gathered == nil {
		b.gathered = bodies.Get()
	}
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

// readSpace is where the loop may put what comes next of a body: where the program wants
// it, or, of a large one, behind what was gathered.
func (b *bodyReader) readSpace(x *session) []byte {
	h := &x.request.head
	left := h.Length - b.received
	switch {
	case h.Framing != httpparse.ContentLength || b.unwanted || b.inPlace:
		return nil
	case b.buffer != nil:
		b.space = b.buffer(left)
	case b.gathered == nil || len(b.gathered.B) < spaceFrom:
		return nil
	default:
		if len(b.gathered.B) == cap(b.gathered.B) {
			b.grow(len(b.gathered.B)+1, h.Length)
		}
		b.space = b.gathered.B[len(b.gathered.B):cap(b.gathered.B)]
	}
	b.space = b.space[:min(int64(len(b.space)), left)]
	return b.space // if it is empty, the loop does not use it
}

// filled takes n bytes in the space.
func (b *bodyReader) filled(x *session, n int) {
	p := b.space[:n]
	b.space = nil
	b.received += int64(n)
	b.ended = b.received == x.request.head.Length
	if b.buffer != nil {
		b.deliver(x, p, nil)
	} else {
		b.gathered.B = b.gathered.B[:len(b.gathered.B)+n]
	}
}

// deliver calls OnBody. A panic ends the exchange like one of the handler, and is the last
// call.
func (b *bodyReader) deliver(x *session, p []byte, err error) {
	pieces := b.pieces
	b.pieces = nil
	x.call(func(*Response, *Request) {
		pieces(p, err)
		if err == nil && !b.unwanted {
			b.pieces = pieces
		}
	})
}

// fail tells OnBody that the rest of the body will not come.
func (b *bodyReader) fail(err error) {
	if pieces := b.pieces; pieces != nil {
		b.pieces, b.buffer = nil, nil
		pieces(nil, err)
	}
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
		b.take(x, data)
		if !x.conn.Open() || b.paused || used == len(in) && !b.chunks.Done() {
			return used
		}
	}
	r := &x.request
	n, err := r.trailer.Parse(in[used:], &x.server.limits)
	if err != nil {
		b.malformed(x, err)
		return 0
	}
	if n > 0 {
		r.trailerBuf = in[used : used+n]
		b.ended = true
	}
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
		b.fail(err)
		x.conn.Abort(err)
	default:
		x.refuse(err)
	}
}

// bounded says whether the rest of the body is known to be within MaxDiscardBytes: only
// then does an answer that is given before the end of the body leave out
// Connection: close. The length of a chunked body is not known before its end.
func (b *bodyReader) bounded(x *session) bool {
	return b.discardable(x) && (x.in == complete || x.request.head.Framing != httpparse.ChunkedBody)
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
	b.pieces, b.buffer = nil, nil
	if b.gathered != nil {
		putBody(b.gathered)
		b.gathered = nil
	}
	x.request.body = nil
	if !b.discardable(x) || b.received > x.server.options.MaxDiscardBytes {
		x.conn.Close()
		return
	}
	if b.paused {
		b.paused = false
		x.conn.ResumeRead()
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
