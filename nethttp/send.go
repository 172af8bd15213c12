package nethttp

import (
	"net/http"
	"os"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/http1"
)

// takeBuffer removes the buffer from the writer; nil if it is empty.
func (w *responseWriter) takeBuffer() *buffers.Buffer {
	b := w.buffered
	w.buffered = nil
	return b
}

// check returns the error that prevents sending, if any.
func (w *responseWriter) check() error {
	if w.err == nil && w.deadline.passed(w.exchange.loop) {
		w.fail(os.ErrDeadlineExceeded)
	}
	return w.err
}

// fail makes later writes return err, and ends the context.
func (w *responseWriter) fail(err error) {
	w.err = err
	w.exchange.context.End(err)
}

// send sends the head, unless it was sent, then the buffer, and then p without a copy. It
// returns when p is written or discarded.
func (w *responseWriter) send(p []byte) error {
	w.writing.Store(true)
	defer w.writing.Store(false)
	if err := w.check(); err != nil {
		return err
	}
	send := w.sendNext
	if w.stream == nil {
		send = w.sendFirst
	}
	if err := send(p); err != nil {
		w.fail(err)
	}
	return w.err
}

// sendNext is send for a stream that has begun.
func (w *responseWriter) sendNext(p []byte) error {
	if b := w.takeBuffer(); b != nil {
		if err := w.stream.SendOwned(b.B, func() { buffers.Put(b) }); err != nil {
			return err
		}
	}
	if len(p) == 0 {
		return nil
	}
	written, done := w.signal()
	if err := w.stream.SendOwned(p, done); err != nil {
		return err
	}
	<-written
	return w.stream.Send(nil)
}

// sendFirst is send for a head that was not sent: it begins a stream.
func (w *responseWriter) sendFirst(p []byte) error {
	b := w.takeBuffer()
	if b != nil {
		w.detectType(b.B)
	} else {
		w.detectType(p)
	}
	written, done := w.signal()
	err := w.exchange.deferred.Do(func(r *http1.Response) {
		if r == nil {
			done()
			return
		}
		w.stream = w.open(r)
		w.stream.OnGone(w.exchange.context.End)
		if b != nil {
			_ = w.stream.WriteOwned(b.B, func() { buffers.Put(b) }) // Send returns the error
		}
		_ = w.stream.WriteOwned(p, done)
	})
	if err != nil {
		return err
	}
	<-written
	if w.stream == nil {
		return http1.ErrClientGone
	}
	return w.stream.Send(nil)
}

// signal returns a channel for the handler to wait on, and the function that closes it on the
// loop.
func (w *responseWriter) signal() (written <-chan struct{}, done func()) {
	ch := make(chan struct{})
	return ch, func() {
		close(ch)
		w.exchange.loop.Yield()
	}
}

// setHead sets the head of the response. Loop only.
func (w *responseWriter) setHead(r *http1.Response) {
	w.head.Close = w.head.Close || !w.duplex && !r.Request().Discardable()
	w.head.NoLength = w.framing.length < 0 && isHead(r)
	_ = r.SetHead(w.head) // WriteHeader has checked the status
}

// open sends the head and begins a stream. Loop only.
func (w *responseWriter) open(r *http1.Response) *http1.Stream {
	w.setHead(r)
	r.SetLength(w.framing.length)
	return r.Stream()
}

func isHead(r *http1.Response) bool { return string(r.Request().Method()) == http.MethodHead }

// finish sends the rest of the response after the handler's return.
func (w *responseWriter) finish() {
	if w.hijacked {
		return
	}
	_ = w.checkWrite(0) // fixes the head, unless it is fixed
	w.returned = true
	e := w.exchange
	switch {
	case w.check() != nil:
		_ = e.deferred.Do(drop) // an error: the loop and the connection have ended
		return
	case w.stream != nil:
		w.framing.readTrailers(w.header)
		_ = e.loop.PostUnbounded(w.finishStream) // likewise
		return
	}
	if e.body != nil {
		e.body.discard()
	}
	if w.buffered != nil {
		w.detectType(w.buffered.B)
	}
	if w.framing.chunked {
		w.framing.readTrailers(w.header)
	}
	_ = e.deferred.Respond(w.sendComplete) // an error: the client has gone
}

// sendComplete sends a complete response. Loop only.
func (w *responseWriter) sendComplete(r *http1.Response) {
	size := int64(0)
	if b := w.takeBuffer(); b != nil {
		size = int64(len(b.B))
		_, _ = r.Write(b.B) // never fails
		buffers.Put(b)
	}
	f, head := &w.framing, isHead(r)
	if head && f.length < 0 && size > 0 && !f.chunked {
		f.length = size
	}
	short := f.length >= 0 && f.length != size // the client can detect that
	request, _ := r.Request().Head()
	chunked := f.length < 0 && f.chunked && request.Minor > 0
	if bodyAllowed(w.head.Status) && (head || short || chunked) {
		w.stream = w.open(r)
		w.finishStream()
		return
	}
	w.setHead(r)
	r.Finish()
	w.releaseHead()
}

// finishStream sends the last piece and the end of the body, in one write if there is room:
// the client then reads both together. Loop only.
func (w *responseWriter) finishStream() {
	if b := w.takeBuffer(); b != nil {
		_ = w.stream.WriteOwned(b.B, func() { buffers.Put(b) }) // Finish has the error too
	}
	for _, t := range w.framing.trailers {
		_ = w.stream.AddTrailer(t[0], t[1]) // a field that is not allowed is omitted
	}
	_ = w.stream.Finish() // ErrLength has closed the connection
	w.releaseHead()
}

// releaseHead returns the head to the pool. Loop only.
func (w *responseWriter) releaseHead() {
	w.head.Reset()
	heads.Put(w.head)
	w.head = nil
}
