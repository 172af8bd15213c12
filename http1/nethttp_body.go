package http1

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/httpparse"
)

// bodyWindow is how many bytes of a body may wait for their reader. One read of the
// loop's may pass it.
const bodyWindow = 64 << 10

// landingFrom is how many bytes a reader has to ask for that the loop reads right into
// its slice, unless less is left.
const landingFrom = 16 << 10

// discardMost and discardWait bound, in bytes and time, how long an answer waits for the
// end of a chunked body that its handler has not read.
const (
	discardMost = defaultMaxDiscard
	discardWait = 500 * time.Millisecond
)

// requestBody is the body of a request on its way from the loop to a net/http handler:
// a bounded pipe, behind which flow control holds up the client. The handler's side
// may be used on any goroutine.
type requestBody struct {
	exchange *exchange
	chunked  bool

	mu       sync.Mutex
	change   sync.Cond       // on mu
	buf      *buffers.Buffer // guarded by mu: what has come; nil for nothing
	used     int             // guarded by mu: bytes of buf that were read
	dest     []byte          // guarded by mu: the slice of a Read that waits; nil without one
	landed   int             // guarded by mu: bytes in dest
	lent     bool            // guarded by mu: the loop reads into dest or buf, which nobody else may touch
	complete bool            // guarded by mu
	closed   bool            // guarded by mu: by the reader, who wants no more
	onDemand bool            // guarded by mu: 100 Continue is to be sent by the first Read
	paused   bool            // guarded by mu: until the reader has caught up
	late     bool            // guarded by mu: the read deadline has passed
	err      error           // guarded by mu: nothing more can be read
	timer    *time.Timer     // guarded by mu: of the read deadline
	trailers http.Header     // guarded by mu: to be shown when all is read
}

func newRequestBody(e *exchange, r *Request) *requestBody {
	b := &requestBody{exchange: e, chunked: r.head.Framing == httpparse.ChunkedBody, onDemand: r.head.ExpectContinue}
	b.change.L = &b.mu
	return b
}

// deliver is the request's OnBody. Loop only.
func (b *requestBody) deliver(chunk []byte, last bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.exchange.session()
	switch {
	case x == nil: // the connection closes
		return
	case last:
		b.complete = true
		if t := &x.request.trailer; len(t.Fields) > 0 {
			b.trailers = header(t.Fields, string(x.request.trailerBuf))
		}
	case b.closed:
		// The rest is read away when the answer is given, within bounds.
		x.request.PauseBody()
		return
	default:
		b.append(x, chunk)
	}
	b.change.Broadcast()
	b.exchange.loop.Yield()
}

// append hands a chunk to the reader that waits, and keeps the rest for later. b.mu is
// held.
func (b *requestBody) append(x *session, chunk []byte) {
	if b.buf == nil {
		n := copy(b.dest[b.landed:], chunk)
		b.landed += n
		if chunk = chunk[n:]; len(chunk) == 0 {
			return
		}
		b.buf = bodies.Get()
	}
	b.buf.B = append(b.buf.B, chunk...)
	if len(b.buf.B)-b.used > bodyWindow {
		b.pause(x)
	}
}

// pause holds the client up until the reader has caught up. b.mu is held.
func (b *requestBody) pause(x *session) {
	b.paused = true
	x.request.PauseBody()
}

// space is where the loop may put what comes next, if left bytes are missing: into the
// slice of a reader that waits, or into the buffer. Loop only.
func (b *requestBody) space(x *session, left int64) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	dest := b.dest[b.landed:]
	switch {
	case b.closed:
		return nil
	case b.buf == nil && len(dest) > 0 && int64(len(dest)) >= min(left, landingFrom):
		b.lent = true
		return dest[:min(int64(len(dest)), left)]
	case x.body.received < spaceFrom:
		return nil
	case b.buf == nil:
		if b.buf = bodies.Get(); cap(b.buf.B) < bodyWindow {
			b.buf.B = make([]byte, 0, bodyWindow)
		}
	case len(b.buf.B) < cap(b.buf.B):
	case len(b.buf.B)-b.used > bodyWindow/2:
		b.pause(x)
		return nil
	case b.used == 0:
		return nil // append makes it larger: empty memory must not be lent
	default: // the reader has had the client go on
		b.buf.B = b.buf.B[:copy(b.buf.B, b.buf.B[b.used:])]
		b.used = 0
	}
	b.lent = true
	free := b.buf.B[len(b.buf.B):cap(b.buf.B)]
	return free[:min(int64(len(free)), left)]
}

// filled is told of n bytes in the space. Loop only.
func (b *requestBody) filled(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lent = false
	switch {
	case b.buf == nil:
		b.landed += n
	case len(b.buf.B)+n == 0:
		b.drop()
	default:
		b.buf.B = b.buf.B[:len(b.buf.B)+n]
	}
	b.change.Broadcast()
	b.exchange.loop.Yield()
}

// breakOff is told that what is missing will not come.
func (b *requestBody) breakOff(cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var malformed *httpparse.Error
	var refused *refusal
	if b.err = cause; !errors.As(cause, &malformed) && !errors.As(cause, &refused) {
		b.err = io.ErrUnexpectedEOF // as net/http has it when the client goes
	}
	b.change.Broadcast()
}

// Read reads what has come, and waits for it.
func (b *requestBody) Read(p []byte) (n int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err = b.await(p, len(p) > 0)
	if err != nil || len(p) == 0 {
		return 0, err
	}
	if n == 0 {
		n = b.take(p)
	}
	return n, b.end()
}

// WriteTo hands what comes to w, as io.Copy asks for, without a copy.
func (b *requestBody) WriteTo(w io.Writer) (n int64, err error) {
	for {
		buf, used, err := b.takeBuffer()
		switch err {
		case nil:
		case io.EOF:
			return n, nil
		default:
			return n, err
		}
		m, err := w.Write(buf.B[used:])
		n += int64(m)
		if err == nil && m < len(buf.B)-used {
			err = io.ErrShortWrite
		}
		putBody(buf)
		if err != nil {
			return n, err
		}
	}
}

// takeBuffer waits for something to read, and takes it with its buffer, of which used
// bytes were read before.
func (b *requestBody) takeBuffer() (buf *buffers.Buffer, used int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err = b.await(nil, true); err != nil {
		return nil, 0, err
	}
	buf, used = b.buf, b.used
	b.buf, b.used = nil, 0
	b.resume()
	return buf, used, nil
}

// await waits, if it may, until something stands in the buffer, or until n bytes have come
// straight into p. b.mu is held.
func (b *requestBody) await(p []byte, may bool) (n int, err error) {
	if b.onDemand && !b.closed {
		b.onDemand = false
		b.exchange.do(func(x *session) { x.proceed() })
	}
	for ; n == 0; n = b.wait(p) {
		switch {
		case b.closed:
			return 0, http.ErrBodyReadAfterClose
		case b.late:
			if b.chunked {
				b.err = os.ErrDeadlineExceeded // for good, as in net/http
			}
			return 0, os.ErrDeadlineExceeded
		case !may:
			return 0, nil
		case b.buf != nil && !b.lent:
			return 0, nil
		case b.complete:
			return 0, b.end()
		case b.err != nil:
			return 0, b.err
		}
	}
	return n, nil
}

// wait waits for something to change, and returns how many bytes have come straight into
// p. b.mu is held.
func (b *requestBody) wait(p []byte) (n int) {
	if p == nil || b.dest != nil { // another reader's
		b.change.Wait()
		return 0
	}
	b.dest = p
	b.change.Wait()
	b.settle()
	n = b.landed
	b.dest, b.landed = nil, 0
	return n
}

// settle waits until the loop has given back what it was lent. b.mu is held.
func (b *requestBody) settle() {
	for b.lent {
		b.change.Wait()
	}
}

// take moves bytes to p, and has the client go on when there is room again. b.mu is
// held.
func (b *requestBody) take(p []byte) int {
	n := copy(p, b.buf.B[b.used:])
	b.used += n
	waiting := len(b.buf.B) - b.used
	if waiting == 0 {
		b.drop()
	} else if b.used > bodyWindow {
		b.buf.B = b.buf.B[:copy(b.buf.B, b.buf.B[b.used:])]
		b.used = 0
	}
	if waiting <= bodyWindow/2 {
		b.resume()
	}
	return n
}

// resume has the client go on. b.mu is held.
func (b *requestBody) resume() {
	if b.paused {
		b.paused = false
		b.exchange.do(func(x *session) { x.request.ResumeBody() })
	}
}

// drop gives the buffer back. b.mu is held.
func (b *requestBody) drop() {
	if b.buf != nil {
		putBody(b.buf)
		b.buf, b.used = nil, 0
	}
}

// end is io.EOF when all is read, and shows the trailers. b.mu is held.
func (b *requestBody) end() error {
	if b.buf != nil || !b.complete {
		return nil
	}
	for name, values := range b.trailers {
		if b.exchange.request.Trailer == nil {
			b.exchange.request.Trailer = http.Header{}
		}
		b.exchange.request.Trailer[name] = values
	}
	b.trailers = nil
	return io.EOF
}

// Close ends reading. What has not come yet is read away by the loop.
func (b *requestBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.settle()
	b.drop()
	if b.timer != nil {
		b.timer.Stop()
	}
	b.change.Broadcast()
	return nil
}

// discard reads a chunked body to its end, if that is near, so that the connection can
// persist: the answer follows, and has to say whether it does. Bodies of other lengths are
// discarded behind the answer, by the loop.
func (b *requestBody) discard() {
	b.mu.Lock()
	unknown := b.chunked && !b.complete && !b.closed && !b.onDemand && b.err == nil
	b.mu.Unlock()
	if unknown {
		b.setDeadline(time.Now().Add(discardWait))
		_, _ = io.CopyN(io.Discard, b, discardMost) // the answer says how it has ended
	}
}

// rest takes what has come and was not read.
func (b *requestBody) rest() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf == nil {
		return nil
	}
	rest := append([]byte(nil), b.buf.B[b.used:]...)
	b.drop()
	return rest
}

// setDeadline bounds the time of reads. The zero time is no bound.
func (b *requestBody) setDeadline(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	b.late = b.err == os.ErrDeadlineExceeded
	if t.IsZero() || b.closed || b.late {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(time.Until(t), func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.timer == timer { // else there is another deadline by now
			b.late = true
			b.change.Broadcast()
		}
	})
	b.timer = timer
}

// proceed has a client that waits for 100 Continue send its body. One that has sent
// some of it does not wait. Loop only.
func (x *session) proceed() {
	if x.out == deferred && x.conn.Buffered() == 0 {
		x.body.sendContinue(x)
	}
	x.request.ResumeBody()
}
