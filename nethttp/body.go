package nethttp

import (
	"io"
	"maps"
	"math"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/httpparse"
)

const (
	// bodyWindow is the number of unread bytes of a body that pauses the client. One read of
	// the loop may exceed it.
	bodyWindow = 64 << 10
	// directFrom is the size in bytes from which the loop reads directly into the slice of a
	// Read, unless the rest of the body is shorter.
	directFrom = 16 << 10
	// smallBody is the number of bytes of a body that are read through the loop's own buffer
	// before a buffer of bodyWindow bytes is allocated for the rest.
	smallBody = 16 << 10
)

// maxDiscard, in bytes, and discardTimeout limit how long a response waits for the end of a
// chunked body that the handler has not read.
const (
	maxDiscard     = 256 << 10
	discardTimeout = 500 * time.Millisecond
)

// windows is the pool for unread bytes.
var windows = buffers.NewPool(buffers.MaxKept)

// requestBody is the body of a request: a bounded pipe from the loop to the handler. A full
// pipe pauses reading from the client. The handler's side may be used on any goroutine.
type requestBody struct {
	exchange *exchange
	request  *http1.Request // loop only
	received int64          // bytes. Loop only
	chunked  bool
	deadline deadline

	mu       sync.Mutex
	change   sync.Cond       // on mu
	buf      *buffers.Buffer // guarded by mu: nil if it is empty
	used     int             // guarded by mu: bytes of buf that the handler has read
	dest     []byte          // guarded by mu: the slice of a waiting Read; nil without one
	direct   int             // guarded by mu: bytes in dest
	reading  bool            // guarded by mu: the loop reads into dest or buf and has exclusive use of it
	closed   bool            // guarded by mu: Close was called
	paused   bool            // guarded by mu: until the handler has read enough; at first, for 100 Continue
	err      error           // guarded by mu: of the end; io.EOF after the complete body
	trailers http.Header     // guarded by mu: for the request, at the end
}

// newRequestBody returns the pipe of a request. Loop only.
func newRequestBody(e *exchange, r *http1.Request) *requestBody {
	h, _ := r.Head()
	b := &requestBody{exchange: e, request: r, chunked: h.Framing == httpparse.ChunkedBody}
	b.change.L = &b.mu
	r.OnBody(b.receive)
	if h.Length >= directFrom {
		r.OnBodyBuffer(b.readBuffer)
	}
	r.SetMaxBody(math.MaxInt64)
	if h.ExpectContinue {
		b.pause() // the first Read resumes it
	}
	return b
}

// receive is the request's OnBody. Loop only.
func (b *requestBody) receive(chunk []byte, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.received += int64(len(chunk))
	switch {
	case err != nil:
		b.end(err)
	case b.reading && b.buf == nil:
		b.reading = false
		b.direct += len(chunk)
	case b.reading:
		b.reading = false
		if b.buf.B = b.buf.B[:len(b.buf.B)+len(chunk)]; len(b.buf.B) == 0 {
			b.freeBuffer()
		}
	case b.closed:
		// The rest is discarded, up to Options.MaxDiscardBytes, after the response.
		b.request.PauseBody()
		return
	default:
		b.append(chunk)
	}
	b.change.Broadcast()
	b.exchange.loop.Yield()
}

// end sets the error of the end. b.mu is held.
func (b *requestBody) end(err error) {
	if b.err != nil {
		return
	}
	b.err = err
	if err != io.EOF {
		return
	}
	for name, value := range b.request.Trailers() {
		if b.trailers == nil {
			b.trailers = http.Header{}
		}
		b.trailers.Add(string(name), string(value))
	}
}

// append copies a chunk to the slice of a waiting Read, and the rest to the buffer. b.mu is
// held.
func (b *requestBody) append(chunk []byte) {
	if b.buf == nil {
		n := copy(b.dest[b.direct:], chunk)
		b.direct += n
		if chunk = chunk[n:]; len(chunk) == 0 {
			return
		}
		b.buf = windows.Get()
	}
	b.buf.B = append(b.buf.B, chunk...)
	if len(b.buf.B)-b.used > bodyWindow {
		b.pause()
	}
}

// pause stops reading from the client until the handler has read enough. b.mu is held. Loop
// only.
func (b *requestBody) pause() {
	b.paused = true
	b.request.PauseBody()
}

// readBuffer is the request's OnBodyBuffer: the slice of a waiting Read, or the buffer. Loop
// only.
func (b *requestBody) readBuffer(left int64) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	free := b.dest[b.direct:]
	switch {
	case b.closed:
		return nil
	case b.buf == nil && len(free) > 0 && int64(len(free)) >= min(left, directFrom):
		b.reading = true
		return free
	case b.received < smallBody:
		return nil
	case b.buf == nil:
		if b.buf = windows.Get(); cap(b.buf.B) < bodyWindow {
			b.buf.B = make([]byte, 0, bodyWindow)
		}
	case len(b.buf.B) < cap(b.buf.B):
	case len(b.buf.B)-b.used > bodyWindow/2:
		b.pause()
		return nil
	case b.used == 0:
		return nil // append grows it
	default: // the handler has read enough
		b.compact()
	}
	b.reading = true
	return b.buf.B[len(b.buf.B):cap(b.buf.B)]
}

// Read reads the available bytes, and waits if there are none.
func (b *requestBody) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if n, err = b.await(p); err != nil {
		return 0, err
	}
	if n == 0 {
		n = b.take(p)
	}
	if b.err == io.EOF {
		err = b.ended()
	}
	return n, err
}

// WriteTo writes the body to w without a copy, for io.Copy.
func (b *requestBody) WriteTo(w io.Writer) (n int64, err error) {
	for {
		buf, used, err := b.takeBuffer()
		if err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
		m, err := w.Write(buf.B[used:])
		if n += int64(m); err == nil && m < len(buf.B)-used {
			err = io.ErrShortWrite
		}
		windows.Put(buf)
		if err != nil {
			return n, err
		}
	}
}

// takeBuffer waits for bytes, and removes their buffer from the pipe. used of its bytes were
// read before.
func (b *requestBody) takeBuffer() (buf *buffers.Buffer, used int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := b.await(nil); err != nil {
		return nil, 0, err
	}
	buf, used = b.buf, b.used
	b.buf, b.used = nil, 0
	b.resume()
	return buf, used, nil
}

// await waits until the buffer has bytes, or until n bytes were read directly into p. b.mu is
// held.
func (b *requestBody) await(p []byte) (n int, err error) {
	for ; n == 0; n = b.wait(p) {
		switch {
		case b.closed:
			return 0, http.ErrBodyReadAfterClose
		case b.err == os.ErrDeadlineExceeded || b.deadline.passed(b.exchange.loop):
			if b.chunked {
				b.err = os.ErrDeadlineExceeded // permanently, as in net/http
			}
			return 0, os.ErrDeadlineExceeded
		case b.buf != nil && !b.reading:
			return 0, nil
		case b.err != nil:
			return 0, b.ended()
		}
	}
	return n, nil
}

// wait waits for a change, and returns the number of bytes read directly into p. b.mu is
// held.
func (b *requestBody) wait(p []byte) (n int) {
	b.resume()                     // 100 Continue
	if p == nil || b.dest != nil { // of a concurrent Read
		b.change.Wait()
		return 0
	}
	b.dest = p
	b.change.Wait()
	b.awaitLoop()
	n = b.direct
	b.dest, b.direct = nil, 0
	return n
}

// awaitLoop waits while the loop reads into memory of the pipe. b.mu is held.
func (b *requestBody) awaitLoop() {
	for b.reading {
		b.change.Wait()
	}
}

// take moves bytes to p, and resumes reading when there is room again. b.mu is held.
func (b *requestBody) take(p []byte) int {
	n := copy(p, b.buf.B[b.used:])
	b.used += n
	unread := len(b.buf.B) - b.used
	if unread == 0 {
		b.freeBuffer()
	} else if b.used > bodyWindow {
		b.compact()
	}
	if unread <= bodyWindow/2 {
		b.resume()
	}
	return n
}

// compact moves the unread bytes to the beginning of the buffer. b.mu is held.
func (b *requestBody) compact() {
	b.buf.B = b.buf.B[:copy(b.buf.B, b.buf.B[b.used:])]
	b.used = 0
}

// resume ends a pause. b.mu is held.
func (b *requestBody) resume() {
	if b.paused {
		b.paused = false
		b.exchange.do(func(w *http1.Response) { w.Request().ResumeBody() })
	}
}

// sendContinue sends 100 Continue to a client that waits for it.
func (b *requestBody) sendContinue() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.resume()
}

// freeBuffer returns the buffer to the pool. b.mu is held.
func (b *requestBody) freeBuffer() {
	if b.buf != nil {
		windows.Put(b.buf)
		b.buf, b.used = nil, 0
	}
}

// ended returns the error of the end when the buffer is empty, and sets the request's
// trailers. b.mu is held.
func (b *requestBody) ended() error {
	if b.buf != nil {
		return nil
	}
	r := &b.exchange.request
	if r.Trailer == nil {
		r.Trailer = b.trailers
	}
	maps.Copy(r.Trailer, b.trailers)
	b.trailers = nil
	return b.err
}

// Close ends reading. The loop discards the rest of the body.
func (b *requestBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.awaitLoop()
	b.freeBuffer()
	b.deadline.stop(b.exchange.loop)
	b.change.Broadcast()
	return nil
}

// discard reads a chunked body to its end, within maxDiscard and discardTimeout, because the
// head of the response has to say whether the connection persists. The loop discards bodies
// of known length after the response.
func (b *requestBody) discard() {
	b.mu.Lock()
	expected := b.paused && b.buf == nil // 100 Continue was not sent
	unknown := b.chunked && !b.closed && b.err == nil && !expected
	b.mu.Unlock()
	if unknown {
		b.setDeadline(time.Now().Add(discardTimeout))
		_, _ = io.CopyN(io.Discard, b, maxDiscard) // an error: the connection does not persist
	}
}

// unread removes the unread bytes from the pipe, for the reader of a hijacked connection.
func (b *requestBody) unread() (unread []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf != nil {
		unread = append(unread, b.buf.B[b.used:]...)
		b.freeBuffer()
	}
	if b.err == nil {
		b.err = http.ErrHijacked
	}
	return unread
}
