package http1

import "github.com/eddynet/eddy/httpparse"

// owned is memory of the program's, until it is released.
type owned struct {
	set     bool
	bytes   []byte
	release func() // may be nil
}

// take gives up the memory, and returns what is to be called when it is done with.
func (o *owned) take() (release func()) {
	release = o.release
	*o = owned{}
	return release
}

// drop releases the memory, if there is any.
func (o *owned) drop() {
	if !o.set {
		return
	}
	if release := o.take(); release != nil {
		release()
	}
}

// SetBody makes p the body, in place of what was written so far. A large one is sent
// without a copy: p must not change until release is called, once, on the loop: when it
// is written, and also when it is not sent at all, to HEAD or with a status that has no
// body (RFC 9110 section 6.4.1), because the connection ends, or because Reset, another
// SetBody or an error takes its place. release may be nil. What is written after the
// call comes behind p, which is copied then. For a handler of Blocking p is copied at
// once, and release called on its goroutine.
func (w *Response) SetBody(p []byte, release func()) {
	w.owned.drop()
	if w.body != nil {
		w.body.Reset()
	}
	w.owned = owned{true, p, release}
	if w.session == nil {
		w.buffer() // nobody would release it if the client went
	}
}

// copyOwned makes the memory of SetBody the response's own.
func (w *Response) copyOwned() {
	w.body.B = append(w.body.B, w.owned.bytes...)
	w.owned.drop()
}

// WriteOwned is Write without a copy: p must not change until release is called, on the
// loop, once: when p is written or the connection has ended, and also when an error is
// returned. It may be nil. Loop only.
func (s *Stream) WriteOwned(p []byte, release func()) error {
	if s.session == nil || s.finishing {
		if release != nil {
			release()
		}
		return s.cause()
	}
	return s.writeOwned(p, release)
}

func (s *Stream) writeOwned(p []byte, release func()) error {
	x := s.session
	defer x.awaitAnswer()
	if err := s.count(len(p)); err != nil || s.silent || len(p) == 0 {
		if release != nil {
			release()
		}
		return err
	}
	if s.framing != httpparse.ChunkedBody {
		return x.conn.WriteOwned(p, release)
	}
	s.header = httpparse.AppendChunkHeader(s.header[:0], len(p))
	return x.conn.WriteFramed(s.header, p, crlf, release)
}
