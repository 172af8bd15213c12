package http1

import (
	"slices"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/loop"
)

// piece is a part of a body, in a pooled buffer or in memory of the program.
type piece struct {
	bytes    []byte
	buffer   *buffers.Buffer // of bytes; nil for memory of the program
	release  func()          // without a buffer; may be nil
	borrowed bool            // bytes are valid only until the call returns
}

func copyPiece(p []byte) piece {
	b := buffers.Get()
	b.B = append(b.B, p...)
	return piece{bytes: b.B, buffer: b}
}

func (p piece) free() {
	if p.buffer != nil {
		buffers.Put(p.buffer)
	} else if p.release != nil {
		p.release()
	}
}

// Send copies p and has the loop write it as the next piece. It blocks while the client reads too
// slowly. Pieces of one goroutine keep their order; those of several are not mixed. The error is
// ErrStreamEnded or that of the connection; nil says that p is queued. With an empty p, Send only
// returns the error. Any goroutine but that of the loop, which it would block.
func (s *Stream) Send(p []byte) error { return s.sendCopy(p, true) }

// TrySend is Send, but returns ErrOutputFull instead of blocking. Any goroutine.
func (s *Stream) TrySend(p []byte) error { return s.sendCopy(p, false) }

func (s *Stream) sendCopy(p []byte, wait bool) error {
	o := copyPiece(p) // before locking: the loop needs the lock too
	err := s.send(o, wait)
	if err != nil || len(p) == 0 {
		o.free()
	}
	return err
}

// SendOwned is Send without a copy. p must not be empty, and must not change until release is
// called, once, on the loop: when p is written or discarded, but not after an error. Any goroutine
// but the loop's.
func (s *Stream) SendOwned(p []byte, release func()) error {
	return s.send(piece{bytes: p, release: release}, true)
}

func (s *Stream) send(p piece, wait bool) error {
	n := int64(len(p.bytes))
	s.mu.Lock()
	defer s.mu.Unlock() // after posting, so that tasks have the order of calls
	// One piece may be queued whatever its size.
	for n > 0 && !s.ended && (s.full || s.queued > 0 && s.queued+n > s.window) {
		if !wait {
			return loop.ErrOutputFull
		}
		s.change.Wait()
	}
	switch {
	case s.ended:
		return s.cause()
	case n == 0:
		return nil
	}
	s.queued += n
	if s.loop.PostUnbounded(func() { s.sendOnLoop(p) }) != nil { // runs after the end of the connection too: it frees p
		return s.cause()
	}
	return nil
}

// After the end of the stream, sendOnLoop discards the piece, and the next Send returns the error.
func (s *Stream) sendOnLoop(p piece) {
	if s.session == nil {
		p.free()
		return
	}
	s.waiting = append(s.waiting, p)
	s.writeWaiting()
}

func (s *Stream) enqueue(p piece) error {
	conn := s.session.conn
	if p.borrowed {
		p = copyPiece(p.bytes)
	}
	s.waiting = append(s.waiting, p)
	s.mu.Lock()
	full := s.queued > conn.Settings().MaxOutput
	s.queued += int64(len(p.bytes))
	s.mu.Unlock()
	if full {
		conn.Abort(loop.ErrOutputFull)
		return loop.ErrOutputFull
	}
	return nil
}

func (s *Stream) writeWaiting() {
	written, n := int64(0), 0
	for ; n < len(s.waiting) && s.Room(); n++ {
		p := s.waiting[n]
		s.waiting[n] = piece{}
		written += int64(len(p.bytes))
		_ = s.write(p) // a failure ends the stream
	}
	s.waiting = slices.Delete(s.waiting, 0, min(n, len(s.waiting)))
	s.mu.Lock()
	s.queued -= written
	s.full = !s.Room()
	s.change.Broadcast()
	s.mu.Unlock()
	s.loop.Yield() // to the senders
}

// Close is Finish after all pieces sent before. It may be repeated. Any goroutine.
func (s *Stream) Close() error {
	finish := func(*loop.Conn) { _ = s.Finish() } // ErrLength has closed the connection
	if s.ref.DoUnbounded(finish) != nil {
		return s.cause()
	}
	return nil
}
