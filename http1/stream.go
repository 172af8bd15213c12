package http1

import (
	"cmp"
	"net/http"
	"sync"

	"github.com/eddynet/eddy/httpparse"
)

// Stream is a response whose body is sent in pieces: chunked, or with the length of SetLength, or,
// to an HTTP/1.0 client, until the connection closes. A piece is sent soon after the callback that
// wrote it. Loop only, but for Send, TrySend, SendOwned, Close and Context: any goroutine.
type Stream struct {
	cancellation
	session   *session          // nil after the end
	framing   httpparse.Framing // NoBody: the response to HEAD, or a status without a body
	left      int64             // of the announced length
	header    []byte            // buffer for a chunk header
	finishing bool              // Finish was called, and waits for room
	trailers  fieldList
	onReady   func()

	// For Send, which limits the bytes in the loop's queue:
	window  int64   // bytes
	waiting []piece // for room in the connection's output. Loop only
	mu      sync.Mutex
	change  sync.Cond // on mu: room, or the end
	queued  int64     // guarded by mu: bytes, in the loop's queue or in waiting
	full    bool      // guarded by mu: the connection's output is
	ended   bool      // guarded by mu
}

// SetLength announces the length of a stream's body in bytes, which is then not chunked.
func (w *Response) SetLength(n int64) { w.length = n }

// Stream sends the head and the body written so far, and leaves the rest to the Stream, for whose
// end later requests wait. It is aborted when there is room, but nothing is written for
// Options.HandlerTimeout. Call it once, in the handler, in OnHead or in Respond, or it panics. Loop
// only.
func (w *Response) Stream() *Stream {
	x := w.session
	if x.body.onBody != nil && x.in == readingHead && !x.body.paused {
		x.body.sendContinue(x) // it must not come after the head of the response
	}
	x.respond(streaming)
	w.decide(x.body.onBody != nil || x.body.discardable(x, false))
	empty := w.head.Status == http.StatusResetContent
	if empty {
		w.length = 0
	}
	s := &Stream{session: x, window: x.conn.Settings().HighWater, framing: w.framing(w.length), left: w.length}
	s.change.L = &s.mu
	x.persist = x.persist && s.framing != httpparse.UntilClose
	w.sendHead(s.framing, w.length)
	if empty || x.request.isHead() {
		s.framing = httpparse.NoBody
	}
	x.stream = s
	s.begin(x)
	if w.body != nil && w.owned.bytes == nil {
		w.owned = piece{bytes: w.body.B, borrowed: true}
	}
	_ = s.put(w.takeOwned()) // the next Write returns the error
	w.dropBody()
	return s
}

// Write sends p as the next piece. It succeeds while Room reports true, and beyond that up to
// Options.MaxOutput. The error is ErrStreamEnded, ErrLength, which has aborted the connection, or
// that of the connection. Loop only.
func (s *Stream) Write(p []byte) (int, error) {
	if err := s.put(piece{bytes: p, borrowed: true}); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteOwned is Write without a copy: p must not change until release, which may be nil, is called,
// once, when p is written or the connection has ended, and also after an error. Loop only.
func (s *Stream) WriteOwned(p []byte, release func()) error {
	return s.put(piece{bytes: p, release: release})
}

func (s *Stream) put(p piece) error {
	switch {
	case s.session == nil || s.finishing:
		p.free()
		return s.cause()
	case len(s.waiting) > 0 || !s.Room():
		return s.enqueue(p)
	}
	return s.write(p)
}

func (s *Stream) write(p piece) error {
	x := s.session
	defer x.setTimeout() // which depends on room
	var err error
	n := int64(len(p.bytes))
	if s.framing == httpparse.ContentLength && n > s.left {
		err = ErrLength
		x.conn.Abort(err)
	}
	if err != nil || s.framing == httpparse.NoBody || n == 0 {
		p.free()
		return err
	}
	s.left -= n
	x.response.sent += n
	var end []byte
	s.header = s.header[:0]
	if s.framing == httpparse.ChunkedBody {
		s.header, end = httpparse.AppendChunkHeader(s.header, len(p.bytes)), crlf
	}
	if len(p.bytes) > copyLimit && !p.borrowed {
		return x.conn.WriteFramed(s.header, p.bytes, end, p.free)
	}
	err = x.conn.WriteParts(s.header, p.bytes, end)
	p.free()
	return err
}

var crlf = []byte("\r\n")

// Room reports whether pending output is below the high-water mark. Loop only.
func (s *Stream) Room() bool { return s.session != nil && !s.session.conn.Full() }

// OnReady has fn called whenever there is room again after there was none. Loop only.
func (s *Stream) OnReady(fn func()) { s.onReady = fn }

// AddTrailer appends a trailer field, which only a chunked body has. The error is a *FieldError:
// RFC 9110 section 6.5.1, or SetHeader, does not allow the field. Loop only.
func (s *Stream) AddTrailer(name, value string) error {
	if err := checkTrailer(name, value); err != nil {
		return err
	}
	s.trailers.add(name, value)
	return nil
}

// Finish ends the body and the exchange, after the pieces sent before. A body shorter than
// SetLength announced is ErrLength, and closes the connection: the client detects it. Loop only.
func (s *Stream) Finish() error {
	if s.session == nil || s.finishing {
		return s.cause()
	}
	s.finishing = true
	return s.tryFinish()
}

// tryFinish ends the body unless pieces wait or the last chunk has no room: ready calls it again.
func (s *Stream) tryFinish() error {
	x := s.session
	chunked := s.framing == httpparse.ChunkedBody
	switch {
	case len(s.waiting) > 0 || chunked && !s.Room():
		return nil
	case s.framing == httpparse.ContentLength && s.left > 0:
		x.conn.Close()
		return ErrLength
	case chunked:
		_ = x.conn.WriteParts([]byte("0\r\n"), s.trailers, crlf) // there is room
	}
	s.end(ErrStreamEnded)
	x.sent()
	return nil
}

// Abort ends the connection, so that the client cannot take the body for complete. Loop only.
func (s *Stream) Abort() {
	if x := s.session; x != nil {
		x.conn.Abort(ErrStreamEnded)
	}
}

func (s *Stream) ready() {
	s.writeWaiting()
	if s.session != nil {
		s.session.setTimeout()
	}
	if s.session != nil && s.finishing {
		_ = s.tryFinish() // ErrLength has closed the connection
		return
	}
	if s.onReady != nil && s.Room() {
		s.onReady()
	}
}

func (s *Stream) end(cause error) {
	s.session, s.released = nil, true
	s.lifetime.End(cause)
	for _, p := range s.waiting {
		p.free()
	}
	s.waiting = nil
	s.mu.Lock()
	s.ended = true
	s.change.Broadcast()
	s.mu.Unlock()
}

func (s *Stream) cause() error { return cmp.Or(s.lifetime.Cause(), ErrStreamEnded) }
