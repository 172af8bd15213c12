package http1

import "os"

// finish gives the answer of a handler that has returned, or the rest of it.
func (w *responseWriter) finish() {
	if w.hijacked {
		return
	}
	_ = w.admit(0) // fixes the head, if nothing has
	if w.check() != nil {
		w.answer = nil
		w.exchange.deferred.claim() // an answer claimed before is a stream
		w.exchange.do((*session).drop)
		return
	}
	if w.stream != nil {
		w.finishStream()
		return
	}
	if body := w.exchange.body; body != nil {
		body.discard()
	}
	answer := w.answer
	w.answer = nil
	if answer.body != nil {
		w.layout.sniff(answer, answer.body.B)
	}
	l, trailers := w.layout, w.layout.endTrailers(w.header)
	answers := &w.exchange.adapter.answers
	_ = w.exchange.deferred.Respond(func(to *Response) { // an error says that the client is gone
		to.swap(answer)
		to.whole(l, trailers)
		answer.reset()
		answers.Put(answer)
	})
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
	w.exchange.deferred.lifetime.end(err)
}

// send sends the gathered body, after the head if that was not sent.
func (w *responseWriter) send() error { return w.sendOwned(nil) }

// sendOwned is send with p behind it, which is not copied: it returns when p is written,
// or never will be.
func (w *responseWriter) sendOwned(p []byte) error {
	w.deadline.mark(true)
	defer w.deadline.mark(false)
	if err := w.check(); err != nil {
		return err
	}
	if err := w.transmit(p); err != nil {
		w.fail(err)
	}
	return w.err
}

// transmit is sendOwned without the deadline.
func (w *responseWriter) transmit(p []byte) error {
	if w.stream == nil {
		return w.start(p)
	}
	if b := w.answer.body; b != nil && len(b.B) > 0 {
		w.answer.body = nil
		if err := w.stream.sendBuffer(b, true); err != nil {
			return err
		}
	}
	if len(p) == 0 {
		return nil
	}
	return w.stream.sendOwned(p)
}

// start sends the head and p, which is not copied, and leaves the rest of the body to a
// stream.
func (w *responseWriter) start(p []byte) error {
	e, d, duplex := w.exchange, w.exchange.deferred, w.duplex
	if !d.claim() {
		return ErrAnswered
	}
	if w.answer.body != nil {
		w.layout.sniff(w.answer, w.answer.body.B)
	}
	answer, status, l := w.answer, w.answer.status, w.layout
	done := make(chan struct{})
	err := e.loop.PostUnbounded(func() {
		if x := e.session(); x != nil {
			d.respond(x.conn, func(to *Response) {
				to.swap(answer)
				to.close = to.close || !duplex && !x.body.bounded(x)
				w.stream = to.streamed(l)
				w.stream.OnGone(d.lifetime.end)
			})
		}
		if w.stream == nil {
			close(done)
		} else {
			w.stream.sendHere(piece{bytes: p, done: func() { close(done); e.loop.Yield() }})
		}
		e.loop.Yield()
	})
	if err != nil {
		return ErrClientGone
	}
	<-done
	answer.reset()
	answer.status = status
	if w.stream == nil {
		return ErrClientGone
	}
	return w.stream.broken()
}

// finishStream sends the last piece along with the end of the body, in one write if there
// is room for them: a client that looks for the end finds it with the piece.
func (w *responseWriter) finishStream() {
	answer := w.answer
	w.answer = nil
	s, last, trailers := w.stream, answer.body, w.layout.endTrailers(w.header)
	answer.body = nil
	w.exchange.do(func(x *session) {
		if last != nil {
			s.sendLast(last)
		}
		s.trailers = trailers
		if s.left > 0 && !s.silent && len(s.sender.waiting) == 0 {
			x.drop() // the client can tell that there is less than announced
			return
		}
		_ = s.Finish() // ErrLength has aborted the connection
	})
	answer.reset()
	w.exchange.adapter.answers.Put(answer)
}

// swap takes over an answer that was gathered elsewhere, and gives up its own, with
// their memory.
func (w *Response) swap(from *Response) {
	w.status, w.close, w.own = from.status, w.close || from.close, from.own
	w.owned.drop()
	w.fields, from.fields = from.fields, w.fields
	w.body, from.body = from.body, w.body
}

// whole sends an answer that a net/http handler has given in one piece.
func (w *Response) whole(l layout, trailers fieldList) {
	x := w.session
	if x.in != complete {
		x.body.pieces, x.body.landing = nil, nil // the handler has read what it wanted
	}
	size := int64(0)
	if w.body != nil {
		size = int64(len(w.body.B))
	}
	switch {
	case !bodyAllowed(w.status):
		w.own |= ownFraming
		w.Finish()
	case x.request.isHead():
		if l.length < 0 && size > 0 && !l.chunked {
			l.length = size
		}
		_ = w.streamed(l).Finish() // without a body nothing can be missing
	case l.length >= 0 && l.length != size:
		w.streamed(l)
		x.drop() // the client can tell that there is less than announced
	case l.chunked && l.length < 0 && x.request.head.Minor > 0:
		s := w.streamed(l)
		s.trailers = trailers
		_ = s.Finish() // chunked: it cannot fail
	default:
		w.Finish()
	}
}

// streamed is Stream for an answer of a net/http handler, which says nothing about
// the length of a body that it does not send.
func (w *Response) streamed(l layout) *Stream {
	w.length = l.length
	if l.length < 0 && w.session.request.isHead() {
		w.own |= ownFraming
		w.length = 0 // it ends with its head
	}
	return w.Stream()
}
