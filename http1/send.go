package http1

import (
	"slices"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/loop"
)

// piece is a part of a body, in a pooled buffer, or in memory that is released.
type piece struct {
	bytes    []byte
	buffer   *buffers.Buffer // that bytes stand in; nil for memory of the program's
	release  func()          // without a buffer; may be nil
	borrowed bool            // until the call returns
}

func copyPiece(p []byte) piece {
	b := buffers.Get()
	b.B = append(b.B, p...)
	return piece{bytes: b.B, buffer: b}
}

// done gives the memory back.
func (p piece) done() {
	if p.buffer != nil {
		buffers.Put(p.buffer)
	} else if p.release != nil {
		p.release()
	}
}

// Send copies p and has the loop write it as the next piece. While the client does
// not keep up it blocks. Pieces of one goroutine keep their order, and no piece is
// mixed with another. The error is ErrStreamEnded or what has broken the connection;
// nil says that p is on its way. An empty p only asks for the error. Any goroutine but
// the loop's, which it would stop.
func (s *Stream) Send(p []byte) error { return s.sendCopy(p, true) }

// TrySend is Send, but returns ErrOutputFull instead of blocking. Any goroutine.
func (s *Stream) TrySend(p []byte) error { return s.sendCopy(p, false) }

func (s *Stream) sendCopy(p []byte, wait bool) error {
	o := copyPiece(p) // before locking: the loop takes the lock too
	err := s.send(o, wait)
	if err != nil || len(p) == 0 {
		o.done()
	}
	return err
}

// SendOwned is Send without a copy, for a p that is not empty: it must not change until
// release is called, once, on the loop: when p is written, or never will be. After an
// error, release is not called. Any goroutine but the loop's.
func (s *Stream) SendOwned(p []byte, release func()) error {
	return s.send(piece{bytes: p, release: release}, true)
}

// send gives the loop a piece when there is room for it.
func (s *Stream) send(p piece, wait bool) error {
	n := int64(len(p.bytes))
	s.mu.Lock()
	defer s.mu.Unlock() // after posting, so that the order of calls is that of the tasks
	// One piece may be on its way whatever its size.
	for n > 0 && !s.ended && (s.full || s.onWay > 0 && s.onWay+n > s.window) {
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
	s.onWay += n
	if s.loop.PostUnbounded(func() { s.sendHere(p) }) != nil { // also if the connection is gone: the memory is released
		return s.cause()
	}
	return nil
}

// sendHere is the rest of Send, on the loop. A piece for a stream that has ended is
// dropped, as the next Send will say.
func (s *Stream) sendHere(p piece) {
	if s.session == nil {
		p.done()
		return
	}
	s.waiting = append(s.waiting, p)
	s.writeWaiting()
}

// queue has a piece of the loop's wait for room, after those that came before.
func (s *Stream) queue(p piece) error {
	conn := s.session.conn
	if p.borrowed {
		p = copyPiece(p.bytes)
	}
	s.waiting = append(s.waiting, p)
	s.mu.Lock()
	full := s.onWay > conn.Settings().MaxOutput
	s.onWay += int64(len(p.bytes))
	s.mu.Unlock()
	if full {
		conn.Abort(loop.ErrOutputFull)
		return loop.ErrOutputFull
	}
	return nil
}

// writeWaiting writes the pieces that have come, while there is room.
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
	s.onWay -= written
	s.full = !s.Room()
	s.change.Broadcast()
	s.mu.Unlock()
	s.loop.Yield() // to those that have waited
}

// Close is Finish after everything that was sent before. It may be called more than
// once. Any goroutine.
func (s *Stream) Close() error {
	finish := func(*loop.Conn) { _ = s.Finish() } // ErrLength has closed the connection
	if s.ref.DoUnbounded(finish) != nil {
		return s.cause()
	}
	return nil
}
