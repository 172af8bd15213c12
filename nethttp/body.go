package nethttp

import (
	"io"
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
	// bodyWindow is how many bytes of a body may wait for their reader. One read of the
	// loop's may pass it.
	bodyWindow = 64 << 10
	// directFrom is how many bytes a reader has to ask for that the loop reads right into
	// its slice, unless less is left.
	directFrom = 16 << 10
	// smallBody is how many bytes of a body come through the loop's own buffer before a
	// buffer of the window's size is got for the rest.
	smallBody = 16 << 10
)

// maxDiscard and discardTimeout bound, in bytes and time, how long an answer waits for the
// end of a chunked body that its handler has not read.
const (
	maxDiscard     = 256 << 10
	discardTimeout = 500 * time.Millisecond
)

// windows is the pool for what waits for a reader.
var windows = buffers.NewPool(buffers.MaxKept)

// requestBody is the body of a request on its way from the loop to a net/http handler:
// a bounded pipe, behind which flow control holds up the client. The handler's side
// may be used on any goroutine.
type requestBody struct {
	exchange *exchange
	request  *http1.Request // loop only
	received int64          // bytes. Loop only
	chunked  bool

	mu       sync.Mutex
	change   sync.Cond       // on mu
	buf      *buffers.Buffer // guarded by mu: what has come; nil for nothing
	used     int             // guarded by mu: bytes of buf that were read
	dest     []byte          // guarded by mu: the slice of a Read that waits; nil without one
	direct   int             // guarded by mu: bytes in dest
	reading  bool            // guarded by mu: the loop reads into dest or buf, which nobody else may touch
	closed   bool            // guarded by mu: by the reader, who wants no more
	paused   bool            // guarded by mu: until the reader has caught up, or asks for 100 Continue
	late     bool            // guarded by mu: the read deadline has passed
	err      error           // guarded by mu: no more will come; io.EOF when all has come
	timer    *time.Timer     // guarded by mu: of the read deadline
	trailers http.Header     // guarded by mu: to be shown when all is read
}

// newRequestBody has the body delivered to the pipe. Loop only.
func newRequestBody(e *exchange, r *http1.Request) *requestBody {
	h, _ := r.Head()
	b := &requestBody{exchange: e, request: r, chunked: h.Framing == httpparse.ChunkedBody}
	b.change.L = &b.mu
	r.OnBody(b.receive)
	if h.Length >= directFrom {
		r.OnBodyBuffer(b.space)
	}
	r.SetMaxBody(math.MaxInt64)
	if h.ExpectContinue {
		b.pause() // the first Read asks for it
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
	case b.reading:
		b.filled(len(chunk))
	case b.closed:
		// What comes is discarded when the answer is given, within bounds.
		b.request.PauseBody()
		return
	default:
		b.append(chunk)
	}
	b.change.Broadcast()
	b.exchange.loop.Yield()
}

// end notes that no more will come. b.mu is held.
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
		key := canonical(string(name))
		b.trailers[key] = append(b.trailers[key], string(value))
	}
}

// append hands a chunk to the reader that waits, and keeps the rest for later. b.mu is
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

// pause holds the client up until the reader has caught up. b.mu is held. Loop only.
func (b *requestBody) pause() {
	b.paused = true
	b.request.PauseBody()
}

// space is the request's OnBodyBuffer: the slice of a reader that waits, or the buffer.
// Loop only.
func (b *requestBody) space(left int64) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	space := b.dest[b.direct:]
	switch {
	case b.closed:
		return nil
	case b.buf == nil && len(space) > 0 && int64(len(space)) >= min(left, directFrom):
		b.reading = true
		return space
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
		return nil // append makes it larger
	default: // the reader has had the client go on
		b.compact()
	}
	b.reading = true
	return b.buf.B[len(b.buf.B):cap(b.buf.B)]
}

// filled takes n bytes that the loop has read into the space. b.mu is held.
func (b *requestBody) filled(n int) {
	b.reading = false
	switch {
	case b.buf == nil:
		b.direct += n
	case len(b.buf.B)+n == 0:
		b.drop()
	default:
		b.buf.B = b.buf.B[:len(b.buf.B)+n]
	}
}

// Read reads what has come, and waits for it.
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

// WriteTo hands what comes to w, as io.Copy asks for, without a copy.
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

// takeBuffer waits for something to read, and takes it with its buffer, of which used
// bytes were read before.
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

// await waits until something stands in the buffer, or until n bytes have come straight into
// p. b.mu is held.
func (b *requestBody) await(p []byte) (n int, err error) {
	for ; n == 0; n = b.wait(p) {
		switch {
		case b.closed:
			return 0, http.ErrBodyReadAfterClose
		case b.late:
			if b.chunked {
				b.err = os.ErrDeadlineExceeded // for good, as in net/http
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

// wait waits for something to change, and returns how many bytes have come straight into
// p. b.mu is held.
func (b *requestBody) wait(p []byte) (n int) {
	b.resume()                     // a client that waits for 100 Continue
	if p == nil || b.dest != nil { // another reader's
		b.change.Wait()
		return 0
	}
	b.dest = p
	b.change.Wait()
	b.settle()
	n = b.direct
	b.dest, b.direct = nil, 0
	return n
}

// settle waits until the loop has read. b.mu is held.
func (b *requestBody) settle() {
	for b.reading {
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
		b.compact()
	}
	if waiting <= bodyWindow/2 {
		b.resume()
	}
	return n
}

// compact moves what was not read to the beginning of the buffer. b.mu is held.
func (b *requestBody) compact() {
	b.buf.B = b.buf.B[:copy(b.buf.B, b.buf.B[b.used:])]
	b.used = 0
}

// resume has the client go on. b.mu is held.
func (b *requestBody) resume() {
	if b.paused {
		b.paused = false
		_ = b.exchange.deferred.Do(resumeBody) // the end of the loop is that of the body
	}
}

// sendContinue has a client send its body that waits for 100 Continue.
func (b *requestBody) sendContinue() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.resume()
}

func resumeBody(w *http1.Response) {
	if w != nil {
		w.Request().ResumeBody()
	}
}

// drop gives the buffer back. b.mu is held.
func (b *requestBody) drop() {
	if b.buf != nil {
		windows.Put(b.buf)
		b.buf, b.used = nil, 0
	}
}

// ended is why no more will come, once all is read. At the end of the body it shows the
// trailers. b.mu is held.
func (b *requestBody) ended() error {
	if b.buf != nil {
		return nil
	}
	r := b.exchange.request
	for name, values := range b.trailers {
		if r.Trailer == nil {
			r.Trailer = http.Header{}
		}
		r.Trailer[name] = values
	}
	b.trailers = nil
	return b.err
}

// Close ends reading. What has not come yet is discarded by the loop.
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
// discarded after the answer, by the loop.
func (b *requestBody) discard() {
	b.mu.Lock()
	expected := b.paused && b.buf == nil // 100 Continue was not sent
	unknown := b.chunked && !b.closed && b.err == nil && !expected
	b.mu.Unlock()
	if unknown {
		b.setDeadline(time.Now().Add(discardTimeout))
		_, _ = io.CopyN(io.Discard, b, maxDiscard) // the answer says how it has ended
	}
}

// rest takes what has come and was not read, for the reader of a hijacked connection.
func (b *requestBody) rest() (rest []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf != nil {
		rest = append(rest, b.buf.B[b.used:]...)
		b.drop()
	}
	if b.err == nil {
		b.err = http.ErrHijacked
	}
	return rest
}
