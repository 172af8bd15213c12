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

// requestBody is the body of a request on its way from the loop to a net/http handler:
// a bounded pipe, behind which flow control holds up the client. The handler's side
// may be used on any goroutine.
type requestBody struct {
	exchange *exchange

	mu       sync.Mutex
	change   sync.Cond       // on mu
	buf      *buffers.Buffer // guarded by mu: what has come; nil for nothing
	used     int             // guarded by mu: bytes of buf that were read
	complete bool            // guarded by mu
	closed   bool            // guarded by mu: by the reader, who wants no more
	onDemand bool            // guarded by mu: 100 Continue is to be sent by the first Read
	paused   bool            // guarded by mu: until the reader has caught up
	late     bool            // guarded by mu: the read deadline has passed
	err      error           // guarded by mu: what is missing will not come
	timer    *time.Timer     // guarded by mu: of the read deadline
	trailers http.Header     // guarded by mu: to be shown when all is read
}

func newRequestBody(e *exchange, r *Request) *requestBody {
	b := &requestBody{exchange: e, onDemand: r.head.ExpectContinue}
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
		if b.buf == nil {
			b.buf = buffers.Get()
		}
		b.buf.B = append(b.buf.B, chunk...)
		if len(b.buf.B)-b.used > bodyWindow {
			b.paused = true
			x.request.PauseBody()
		}
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
func (b *requestBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.onDemand && !b.closed {
		b.onDemand = false
		b.exchange.do(func(x *session) { x.proceed() })
	}
	for {
		switch {
		case b.closed:
			return 0, http.ErrBodyReadAfterClose
		case b.late:
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case b.buf != nil:
			n := b.take(p)
			if b.buf == nil && b.complete {
				return n, b.eof()
			}
			return n, nil
		case b.complete:
			return 0, b.eof()
		case b.err != nil:
			return 0, b.err
		}
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
	if b.paused && waiting <= bodyWindow/2 {
		b.paused = false
		b.exchange.do(func(x *session) { x.request.ResumeBody() })
	}
	return n
}

// drop gives the buffer back. b.mu is held.
func (b *requestBody) drop() {
	if b.buf != nil {
		buffers.Put(b.buf)
		b.buf, b.used = nil, 0
	}
}

// eof shows the trailers. b.mu is held.
func (b *requestBody) eof() error {
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
	b.drop()
	if b.timer != nil {
		b.timer.Stop()
	}
	b.change.Broadcast()
	return nil
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
	b.late = false
	if t.IsZero() || b.closed {
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
