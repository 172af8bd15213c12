package nethttp

import (
	"net/http"
	"os"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/http1"
)

// take gives up what was gathered; nil for nothing.
func (w *responseWriter) take() *buffers.Buffer {
	b := w.gathered
	w.gathered = nil
	return b
}

// check says whether something may still be sent.
func (w *responseWriter) check() error {
	if w.err == nil && w.deadline.passed() {
		w.fail(os.ErrDeadlineExceeded)
	}
	return w.err
}

// fail breaks the answer: later writes return err, and the context ends.
func (w *responseWriter) fail(err error) {
	w.err = err
	w.exchange.context.End(err)
}

// send sends what was gathered, after the head if that was not sent, and then p, which is
// not copied: it returns when p is written, or never will be.
func (w *responseWriter) send(p []byte) error {
	w.deadline.mark(true)
	defer w.deadline.mark(false)
	if err := w.check(); err != nil {
		return err
	}
	send := w.sendMore
	if w.stream == nil {
		send = w.start
	}
	if err := send(p); err != nil {
		w.fail(err)
	}
	return w.err
}

// sendMore is send for a stream that has begun.
func (w *responseWriter) sendMore(p []byte) error {
	if b := w.take(); b != nil {
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

// start is send for a head that was not sent. It leaves the rest of the body to a stream.
func (w *responseWriter) start(p []byte) error {
	b := w.take()
	if b != nil {
		w.sniff(b.B)
	} else {
		w.sniff(p)
	}
	written, done := w.signal()
	err := w.exchange.deferred.Do(func(r *http1.Response) {
		if r == nil {
			done()
			return
		}
		w.stream = w.open(r)
		w.stream.OnGone(w.exchange.gone)
		if b != nil {
			_ = w.stream.WriteOwned(b.B, func() { buffers.Put(b) }) // Send has the error
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

// signal returns a channel that the handler waits for, and the function that closes it on
// the loop.
func (w *responseWriter) signal() (written <-chan struct{}, done func()) {
	ch := make(chan struct{})
	return ch, func() {
		close(ch)
		w.exchange.loop.Yield()
	}
}

// setHead gives the head to the answer. Loop only.
func (w *responseWriter) setHead(r *http1.Response) {
	w.head.Close = w.head.Close || !w.duplex && !r.Request().Discardable()
	w.head.NoLength = w.framing.length < 0 && isHead(r)
	_ = r.SetHead(w.head) // WriteHeader has checked the status
}

// open sends the head, and leaves the body to a stream. Loop only.
func (w *responseWriter) open(r *http1.Response) *http1.Stream {
	w.setHead(r)
	r.SetLength(w.framing.length)
	return r.Stream()
}

func isHead(r *http1.Response) bool { return string(r.Request().Method()) == http.MethodHead }

// finish gives the answer of a handler that has returned, or the rest of it.
func (w *responseWriter) finish() {
	if w.hijacked {
		return
	}
	_ = w.admit(0) // fixes the head, if nothing has
	w.returned = true
	e := w.exchange
	switch {
	case w.check() != nil:
		_ = e.deferred.Do(drop) // the end of the loop is that of the connection
		return
	case w.stream != nil:
		w.framing.readTrailers(w.header)
		_ = e.loop.PostUnbounded(w.finishStream) // the same
		return
	}
	if e.body != nil {
		e.body.discard()
	}
	if w.gathered != nil {
		w.sniff(w.gathered.B)
	}
	if w.framing.chunked {
		w.framing.readTrailers(w.header)
	}
	_ = e.deferred.Respond(w.answer) // an error says that the client is gone
}

// answer sends an answer that is complete. Loop only.
func (w *responseWriter) answer(r *http1.Response) {
	size := int64(0)
	if b := w.take(); b != nil {
		size = int64(len(b.B))
		_, _ = r.Write(b.B) // never fails
		buffers.Put(b)
	}
	f, head := &w.framing, isHead(r)
	if head && f.length < 0 && size > 0 && !f.chunked {
		f.length = size
	}
	switch {
	case bodyAllowed(w.head.Status) && (head || f.length >= 0 && f.length != size || // the client can tell that there is less than announced
		f.length < 0 && f.chunked && r.Request().Minor() > 0):
		w.stream = w.open(r)
		w.finishStream()
	default:
		w.setHead(r)
		r.Finish()
		w.release()
	}
}

// finishStream sends the last piece along with the end of the body, in one write if there
// is room for them: a client that looks for the end finds it with the piece. Loop only.
func (w *responseWriter) finishStream() {
	if b := w.take(); b != nil {
		_ = w.stream.WriteOwned(b.B, func() { buffers.Put(b) }) // an error is that of Finish too
	}
	for _, t := range w.framing.trailers {
		_ = w.stream.AddTrailer(t[0], t[1]) // what may not stand in a trailer is left out
	}
	_ = w.stream.Finish() // ErrLength has closed the connection
	w.release()
}

// release gives the head back. Loop only.
func (w *responseWriter) release() {
	w.head.Reset()
	heads.Put(w.head)
	w.head = nil
}
