package http1

import (
	"io"
	"time"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/httpparse"
)

// A few bytes of a body that arrive slowly do not occupy a large buffer.
var (
	bodies      = buffers.NewPool(buffers.MaxKept)
	largeBodies = buffers.NewPool(defaultMaxBody)
)

// directFrom is how many bytes are buffered before the connection is read directly into the buffer.
const directFrom = 16 << 10

func putBody(b *buffers.Buffer) {
	if cap(b.B) <= buffers.MaxKept {
		bodies.Put(b)
	} else {
		largeBodies.Put(b)
	}
}

// bodyReader reads a request body. One that arrives in one piece is used in place; any other is
// copied to a buffer, delivered to OnBody, or discarded.
type bodyReader struct {
	limit      int64 // bytes; 413 beyond
	paused     bool  // by PauseBody
	ended      bool  // all bytes were received
	continued  bool  // 100 Continue is sent, or was not asked for
	pausedAt   int64 // on the loop's clock
	started    int64 // when the body began, on the loop's clock
	received   int64 // bytes of the body
	chunks     httpparse.Chunked
	buffered   *buffers.Buffer               // nil while nothing was copied
	onBody     func(chunk []byte, err error) // of Request.OnBody
	onBuffer   func(left int64) []byte       // of Request.OnBodyBuffer
	readBuffer []byte                        // where the loop is about to read; nil for its own buffer
}

// start begins a body, which may be empty. rest is the input after the head.
func (b *bodyReader) start(x *session, rest []byte) {
	h := &x.request.head
	b.ended = h.Framing != httpparse.ChunkedBody && h.Length == 0
	switch {
	case b.paused:
	case b.ended:
		b.end(x)
		return
	case len(rest) == 0:
		b.sendContinue(x)
	}
	b.started = x.conn.Loop().Now()
}

// sendContinue sends 100 Continue if the client waits for it and the response has not begun.
func (b *bodyReader) sendContinue(x *session) {
	if !b.continued && x.out < streaming {
		b.continued = true
		_, _ = x.conn.WriteString("HTTP/1.1 100 Continue\r\n\r\n") // a failure ends the connection
	}
}

// timeout is the time that remains for the body.
func (b *bodyReader) timeout(x *session) time.Duration {
	o := &x.server.options
	earned := time.Duration(b.received/int64(o.MinBodyRate)) * time.Second
	spent := time.Duration(x.conn.Loop().Now() - b.started)
	return max(o.ReadTimeout+earned-spent, 1)
}

func (b *bodyReader) read(x *session, in []byte) (used int) {
	length, supplied := x.request.head.Length, b.readBuffer
	if b.readBuffer = nil; supplied != nil {
		in = in[:min(len(in), len(supplied))]
	}
	switch {
	case b.ended || b.paused && supplied == nil:
	case x.request.head.Framing == httpparse.ChunkedBody:
		used = b.readChunks(x, in)
	case b.received == 0 && int64(len(in)) >= length && b.onBody == nil && x.out != responded:
		x.request.body = in[:length]
		used, b.ended = int(length), true
	default:
		used = int(min(int64(len(in)), length-b.received))
		b.add(x, in[:used], supplied)
		b.ended = b.received == length
	}
	switch {
	case !x.conn.Open():
	case b.ended && !b.paused:
		b.end(x)
	default:
		x.setTimeout()
	}
	return used
}

// end is called after the last byte of a body, or at the end of a pause after that.
func (b *bodyReader) end(x *session) {
	if b.onBody != nil {
		b.deliver(x, nil, io.EOF)
	}
	if !x.conn.Open() {
		return
	}
	if b.buffered != nil {
		x.request.body = b.buffered.B
	}
	x.receive(done)
	if x.out == deferred || x.out == streaming {
		x.setTimeout()
	}
}

// add processes a piece. supplied is the memory that the loop was given for it.
func (b *bodyReader) add(x *session, p, supplied []byte) {
	b.received += int64(len(p))
	switch {
	case x.out == responded: // the rest is discarded
		if b.received > x.server.options.MaxDiscardBytes {
			x.conn.Close()
		}
	case b.received > b.limit || b.chunks.Left() > b.limit-b.received:
		b.reject(x, errBodyTooLarge)
	case len(p) == 0 && supplied == nil:
	case b.onBody == nil:
		b.append(p, x.request.head.Length)
	case supplied != nil:
		if !sameStart(p, supplied) { // a Handler that wraps the server has passed a copy
			copy(supplied, p)
		}
		b.deliver(x, supplied[:len(p)], nil)
	default:
		b.deliver(x, p, nil)
	}
}

func sameStart(p, q []byte) bool { return len(p) == 0 || len(q) > 0 && &p[0] == &q[0] }

// append copies a piece to the buffer, unless the loop has read it there.
func (b *bodyReader) append(p []byte, length int64) {
	if b.buffered == nil {
		b.buffered = bodies.Get()
	}
	old := b.buffered.B
	switch need := len(old) + len(p); {
	case need > cap(old):
		b.grow(need, length)
	case sameStart(p, old[len(old):need]):
		b.buffered.B = old[:need]
		return
	}
	b.buffered.B = append(b.buffered.B, p...)
}

// grow makes room for need bytes and more: up to a known length, but at most 16 times need. Memory
// depends on the bytes received, not on the length announced.
func (b *bodyReader) grow(need int, length int64) {
	old := b.buffered
	size := 4 * need
	if length > 0 {
		size = int(min(16*int64(need), length))
	}
	if size = max(size, need); size <= buffers.MaxKept {
		old.B = append(make([]byte, 0, size), old.B...)
		return
	}
	b.buffered = largeBodies.Get()
	if cap(b.buffered.B) < size {
		b.buffered.B = make([]byte, 0, size)
	}
	b.buffered.B = append(b.buffered.B, old.B...)
	putBody(old)
}

// nextReadBuffer is where the loop should read the next bytes: memory of the program, or the free
// part of a large body's buffer; nil for the loop's own.
func (b *bodyReader) nextReadBuffer(x *session) []byte {
	h := &x.request.head
	left := h.Length - b.received
	switch {
	case h.Framing != httpparse.ContentLength || x.out == responded:
		return nil
	case b.onBuffer != nil:
		b.readBuffer = b.onBuffer(left)
	case b.buffered == nil || len(b.buffered.B) < directFrom:
		return nil
	default:
		if len(b.buffered.B) == cap(b.buffered.B) {
			b.grow(len(b.buffered.B)+1, h.Length)
		}
		b.readBuffer = b.buffered.B[len(b.buffered.B):cap(b.buffered.B)]
	}
	if b.readBuffer = b.readBuffer[:min(int64(len(b.readBuffer)), left)]; len(b.readBuffer) == 0 {
		b.readBuffer = nil
	}
	return b.readBuffer
}

// deliver calls OnBody's function. A panic of it, handled as the handler's, ends the calls.
func (b *bodyReader) deliver(x *session, p []byte, err error) {
	onBody := b.onBody
	b.onBody = nil
	x.call(func(*Response, *Request) {
		onBody(p, err)
		if err == nil && x.out != responded {
			b.onBody = onBody
		}
	})
}

func (b *bodyReader) abort(err error) {
	if onBody := b.onBody; onBody != nil {
		b.onBody, b.onBuffer = nil, nil
		onBody(nil, err)
	}
}

func (b *bodyReader) readChunks(x *session, in []byte) (used int) {
	for !b.chunks.Done() {
		data, n, err := b.chunks.Next(in[used:], &x.server.options.Limits)
		if err != nil {
			b.reject(x, err)
			return 0
		}
		used += n
		b.add(x, data, nil)
		if !x.conn.Open() || b.paused || used == len(in) && !b.chunks.Done() {
			return used
		}
	}
	r := &x.request
	n, err := r.trailer.Parse(in[used:], &x.server.options.Limits)
	if err != nil {
		b.reject(x, err)
		return 0
	}
	if n > 0 {
		r.trailerBuf = in[used : used+n]
		b.ended = true
	}
	return used + n
}

// reject handles an invalid or too large body. A response that has begun cannot report it.
func (b *bodyReader) reject(x *session, err error) {
	if x.out < streaming {
		x.refuse(err)
		return
	}
	x.server.count.BrokenBodies++
	b.abort(err)
	if x.out == responded {
		x.conn.Close()
	} else {
		x.conn.Abort(err)
	}
}

// discardable reports whether the rest of the body may be discarded, so that the connection
// persists. The length of a chunked body is unknown: the caller decides.
func (b *bodyReader) discardable(x *session, chunked bool) bool {
	h := &x.request.head
	switch {
	case x.in == done:
		return true
	case !b.continued:
		return false // the client may or may not send the body
	case h.Framing == httpparse.ChunkedBody:
		return chunked
	}
	return h.Length <= x.server.options.MaxDiscardBytes
}

// discard is called when the response is complete before the body.
func (b *bodyReader) discard(x *session) {
	b.onBody, b.onBuffer = nil, nil
	if b.buffered != nil {
		putBody(b.buffered)
		b.buffered = nil
	}
	x.request.body = nil
	if !b.discardable(x, true) || b.received > x.server.options.MaxDiscardBytes {
		x.conn.Close()
		return
	}
	if b.paused {
		b.paused = false
		x.conn.ResumeRead()
	}
}

func (b *bodyReader) pin(r *Request) {
	if b.buffered != nil || len(r.body) == 0 {
		return
	}
	b.buffered = bodies.Get()
	b.buffered.B = append(b.buffered.B, r.body...)
	r.body = b.buffered.B
}

func (b *bodyReader) reset() {
	if b.buffered != nil {
		putBody(b.buffered)
	}
	*b = bodyReader{}
}
