package nethttp

import (
	"net/http"
	"os"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/http1"
)

func (w *responseWriter) takeBuffer() (p []byte, release func()) {
	b := w.buffered
	if w.buffered = nil; b == nil {
		return nil, nil
	}
	return b.B, func() { buffers.Put(b) }
}

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
	if err := w.sendParts(p); err != nil {
		w.fail(err)
	}
	return w.err
}

func (w *responseWriter) sendParts(p []byte) error {
	buffered, release := w.takeBuffer()
	first := w.stream == nil
	if first {
		w.detectType(buffered)
		w.detectType(p)
	} else if len(buffered) > 0 {
		if err := w.stream.SendOwned(buffered, release); err != nil {
			return err
		}
	}
	if !first && len(p) == 0 {
		return nil
	}
	written := make(chan struct{})
	done := func() {
		close(written)
		w.exchange.loop.Yield()
	}
	var err error
	if first {
		err = w.exchange.deferred.Do(func(r *http1.Response) {
			if r == nil {
				done()
				return
			}
			w.open(r)
			_ = w.stream.WriteOwned(buffered, release) // Send returns the error
			_ = w.stream.WriteOwned(p, done)
		})
	} else {
		err = w.stream.SendOwned(p, done)
	}
	if err != nil {
		return err
	}
	<-written
	if w.stream == nil {
		return http1.ErrClientGone
	}
	return w.stream.Send(nil)
}

// setHead sets the head of the response. Loop only.
func (w *responseWriter) setHead(r *http1.Response) {
	w.head.Close = w.head.Close || !w.duplex && !r.Request().Discardable()
	w.head.NoLength = w.framing.length < 0 && isHead(r)
	_ = r.SetHead(w.head) // WriteHeader has checked the status
}

// open sends the head and begins a stream. Loop only.
func (w *responseWriter) open(r *http1.Response) {
	w.setHead(r)
	r.SetLength(w.framing.length)
	w.stream = r.Stream()
	w.stream.OnGone(w.exchange.context.End)
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
		e.do((*http1.Response).Drop) // as net/http does
		return
	case w.stream != nil:
		w.framing.readTrailers(w.header)
		_ = e.loop.PostUnbounded(w.finishStream) // an error: the loop and the connection have ended
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
	if b := w.buffered; b != nil {
		w.buffered, size = nil, int64(len(b.B))
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
		w.open(r)
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
	_ = w.stream.WriteOwned(w.takeBuffer()) // Finish has the error too
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
