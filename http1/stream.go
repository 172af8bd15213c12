package http1

import (
	"net/http"
	"sync"

	"github.com/eddynet/eddy/httpparse"
	"github.com/eddynet/eddy/loop"
)

// Stream is an answer whose body is sent piece by piece: chunked, or with the
// length that SetLength has announced, or, to an HTTP/1.0 client, up to the close
// of the connection. Every piece leaves soon after the callback that wrote it returns. A
// Stream belongs to the loop; Send, TrySend, SendOwned, Close and Context are for any
// goroutine.
type Stream struct {
	departure
	session   *session // nil when it has ended
	framing   httpparse.Framing
	left      int64  // of the announced length
	silent    bool   // the answer to HEAD: nothing of the body is sent
	header    []byte // scratch for that of a chunk
	finishing bool   // Finish was called, and waits for its turn
	trailers  fieldList
	onReady   func()

	// For Send, which bounds what is on its way to the loop, and waits while the client
	// does not keep up.
	ref     loop.Ref
	loop    *loop.Loop
	window  int64   // bytes
	waiting []piece // that have come and wait for room. Loop only
	mu      sync.Mutex
	change  sync.Cond // on mu: room, or the end
	onWay   int64     // guarded by mu: bytes
	full    bool      // guarded by mu: the connection's output is
	ended   bool      // guarded by mu
}

// SetLength announces the length in bytes of the body of a stream, which is then
// not chunked. Without a stream the body's own length counts.
func (w *Response) SetLength(n int64) { w.length = n }

// Stream sends the head, with what was written so far behind it, and leaves the
// body to the Stream. Later requests of the connection wait until it ends. It is
// aborted when there is room, but nothing is written for Options.HandlerTimeout. Call
// it in the handler, in OnHead or in Respond, once: a second call panics. Loop only.
func (w *Response) Stream() *Stream {
	x := w.session
	if x.body.pieces != nil && x.in == inHead && !x.body.paused {
		x.body.sendContinue(x) // or it would come in the middle of the answer
	}
	x.answer(streaming)
	w.decide(x.body.pieces != nil || x.body.bounded(x))
	s := &Stream{session: x, ref: x.conn.Ref(), loop: x.conn.Loop(), window: x.conn.Settings().HighWater}
	s.change.L = &s.mu
	bodyless := w.unframed() || w.head.Status == http.StatusResetContent
	switch {
	case bodyless:
		s.framing = httpparse.ContentLength
	case w.length >= 0:
		s.framing, s.left = httpparse.ContentLength, w.length
	case x.request.head.Minor > 0:
		s.framing = httpparse.ChunkedBody
	default:
		s.framing, x.persist = httpparse.UntilClose, false
	}
	s.silent = x.request.isHead() || bodyless
	out := x.conn.Out()
	dst := w.appendHead(out.B)
	switch {
	case w.unframed():
	case s.framing == httpparse.ContentLength:
		dst = appendLength(dst, s.left)
	case s.framing == httpparse.ChunkedBody:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	}
	out.B = append(dst, "\r\n"...)
	x.stream = s
	x.awaitAnswer()
	if x.gone {
		s.abandon(ErrClientGone)
	}
	if w.isOwned {
		_ = s.put(w.takeOwned()) // an error is met again by the next Write
	} else if w.body != nil {
		_, _ = s.Write(w.body.B) // the same
	}
	w.dropBody()
	return s
}

// Write sends p as the next piece. It is always taken while Room says so, and
// beyond that up to Options.MaxOutput. The error is ErrStreamEnded, ErrLength, which
// has aborted the connection, or what has broken it. Loop only.
func (s *Stream) Write(p []byte) (int, error) {
	if err := s.put(piece{bytes: p, borrowed: true}); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteOwned is Write without a copy: p must not change until release is called, on the
// loop, once: when p is written or the connection has ended, and also when an error is
// returned. It may be nil. Loop only.
func (s *Stream) WriteOwned(p []byte, release func()) error {
	return s.put(piece{bytes: p, release: release})
}

func (s *Stream) put(p piece) error {
	switch {
	case s.session == nil || s.finishing:
		p.done()
		return s.cause()
	case len(s.waiting) > 0 || !s.Room():
		return s.queue(p)
	}
	return s.write(p)
}

// write hands a piece to the connection, which copies one that is small or borrowed.
func (s *Stream) write(p piece) error {
	x := s.session
	defer x.awaitAnswer() // whether there is room decides which deadline runs
	if err := s.count(len(p.bytes)); err != nil || s.silent || len(p.bytes) == 0 {
		p.done()
		return err
	}
	var end []byte
	s.header = s.header[:0]
	if s.framing == httpparse.ChunkedBody {
		s.header, end = httpparse.AppendChunkHeader(s.header, len(p.bytes)), crlf
	}
	if len(p.bytes) > copyLimit && !p.borrowed {
		return x.conn.WriteFramed(s.header, p.bytes, end, p.done)
	}
	err := x.conn.WriteParts(s.header, p.bytes, end)
	p.done()
	return err
}

// count counts n bytes of the body, which may not be more than was announced.
func (s *Stream) count(n int) error {
	x := s.session
	if s.silent {
		return nil
	}
	if s.framing == httpparse.ContentLength {
		if int64(n) > s.left {
			x.conn.Abort(ErrLength)
			return ErrLength
		}
		s.left -= int64(n)
	}
	x.response.sent += int64(n)
	return nil
}

var crlf = []byte("\r\n")

// Room says whether the client keeps up: pending output is below the high-water
// mark. Loop only.
func (s *Stream) Room() bool { return s.session != nil && !s.session.conn.Full() }

// OnReady has fn called whenever there is room again after there was none. Loop
// only.
func (s *Stream) OnReady(fn func()) { s.onReady = fn }

// SetTrailer sets a trailer field, sent behind the last chunk, in place of those of that
// name set before; with another framing there is no place for it. What may not stand in a
// field, or not in a trailer, is an error, as for SetHeader. Loop only.
func (s *Stream) SetTrailer(name, value string) error {
	if err := checkTrailer(name, value); err != nil {
		return err
	}
	s.trailers.remove(name)
	s.trailers.add(name, value)
	return nil
}

// AddTrailer is SetTrailer, but keeps fields of that name set before. Loop only.
func (s *Stream) AddTrailer(name, value string) error {
	if err := checkTrailer(name, value); err != nil {
		return err
	}
	s.trailers.add(name, value)
	return nil
}

// Finish ends the body and so the exchange, when what was sent before is written.
// When less was written than SetLength announced, it closes the connection, so that the
// client sees it, and returns ErrLength. Loop only.
func (s *Stream) Finish() error {
	if s.session == nil || s.finishing {
		return s.cause()
	}
	s.finishing = true
	return s.finishInTurn()
}

// finishInTurn ends the body unless pieces wait, or the end of the framing has no
// room: then it is tried again when there is.
func (s *Stream) finishInTurn() error {
	x := s.session
	chunked := s.framing == httpparse.ChunkedBody && !s.silent
	switch {
	case len(s.waiting) > 0 || chunked && !s.Room():
		return nil
	case s.framing == httpparse.ContentLength && s.left > 0 && !s.silent:
		x.conn.Close()
		return ErrLength
	case chunked:
		out := x.conn.Out()
		out.B = append(out.B, "0\r\n"...)
		out.B = append(out.B, s.trailers.lines...)
		out.B = append(out.B, "\r\n"...)
	}
	s.end(ErrStreamEnded)
	x.sent()
	return nil
}

// Abort ends the connection at once, so that the client cannot take the body for
// whole. Loop only.
func (s *Stream) Abort() {
	if x := s.session; x != nil {
		x.conn.Abort(ErrStreamEnded)
	}
}

// ready is called when there is room again.
func (s *Stream) ready() {
	s.writeWaiting()
	if s.session != nil {
		s.session.awaitAnswer()
	}
	if s.session != nil && s.finishing {
		_ = s.finishInTurn() // ErrLength has closed the connection
		return
	}
	if s.onReady != nil && s.Room() {
		s.onReady()
	}
}

// closed is called when the connection is gone.
func (s *Stream) closed(err error) {
	s.abandon(err)
	s.end(err)
}

// end detaches the stream from its exchange.
func (s *Stream) end(cause error) {
	s.session, s.settled = nil, true
	s.lifetime.End(cause)
	for _, p := range s.waiting {
		p.done()
	}
	s.waiting = nil
	s.mu.Lock()
	s.ended = true
	s.change.Broadcast()
	s.mu.Unlock()
}

func (s *Stream) cause() error {
	if err := s.lifetime.Cause(); err != nil {
		return err
	}
	return ErrStreamEnded
}
