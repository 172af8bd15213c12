package http1

import (
	"slices"
	"sync"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/loop"
)

// sender is the part of a Stream that other goroutines write through. It bounds
// what they have on its way to the loop, and holds them up while the client does
// not keep up.
type sender struct {
	ref    loop.Ref
	loop   *loop.Loop
	window int64 // bytes

	waiting []piece // that have come and wait for room. Loop only

	mu     sync.Mutex
	change sync.Cond // on mu: room, or the end
	onWay  int64     // guarded by mu: bytes
	full   bool      // guarded by mu: the connection's output is
	ended  bool      // guarded by mu
}

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

func (d *sender) begin(x *session) {
	d.ref = x.conn.Ref()
	d.loop = x.conn.Loop()
	d.window = x.conn.Settings().HighWater
	d.change.L = &d.mu
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
	o := copyPiece(p) // before locking, for the loop takes the lock too
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

func (s *Stream) send(p piece, wait bool) error {
	err := s.sender.post(int64(len(p.bytes)), wait, func() { s.sendHere(p) })
	if err != nil && err != loop.ErrOutputFull {
		return s.cause()
	}
	return err
}

// post gives the loop a task for n bytes when there is room for them; for none there is
// nothing to do.
func (d *sender) post(n int64, wait bool, task func()) error {
	d.mu.Lock()
	defer d.mu.Unlock() // after posting, so that the order of calls is that of the tasks
	// One piece may be on its way whatever its size.
	for n > 0 && !d.ended && (d.full || d.onWay > 0 && d.onWay+n > d.window) {
		if !wait {
			return loop.ErrOutputFull
		}
		d.change.Wait()
	}
	if d.ended {
		return ErrStreamEnded
	}
	if n == 0 {
		return nil
	}
	d.onWay += n
	return d.loop.PostUnbounded(task) // also if the connection is gone: the memory is released
}

// sendHere is the rest of Send, on the loop. A piece for a stream that has ended is
// dropped, as the next Send will say.
func (s *Stream) sendHere(p piece) {
	if s.session == nil {
		p.done()
		return
	}
	s.sender.waiting = append(s.sender.waiting, p)
	s.writeWaiting()
}

// queue has a piece of the loop's wait behind those that came before.
func (s *Stream) queue(p piece) error {
	d, conn := &s.sender, s.session.conn
	if p.borrowed {
		p = copyPiece(p.bytes)
	}
	d.waiting = append(d.waiting, p)
	d.mu.Lock()
	full := d.onWay > conn.Settings().MaxOutput
	d.onWay += int64(len(p.bytes))
	d.mu.Unlock()
	if full {
		conn.Abort(loop.ErrOutputFull)
		return loop.ErrOutputFull
	}
	return nil
}

// writeWaiting writes the pieces that have come, while there is room.
func (s *Stream) writeWaiting() {
	d := &s.sender
	written, n := int64(0), 0
	for ; n < len(d.waiting) && s.Room(); n++ {
		p := d.waiting[n]
		d.waiting[n] = piece{}
		written += int64(len(p.bytes))
		_ = s.write(p) // a failure ends the stream
	}
	d.waiting = slices.Delete(d.waiting, 0, min(n, len(d.waiting)))
	d.mu.Lock()
	d.onWay -= written
	d.full = !s.Room()
	d.change.Broadcast()
	d.mu.Unlock()
	d.loop.Yield() // to those that have waited
}

// Close is Finish after everything that was sent before. It may be called more than
// once. Any goroutine.
func (s *Stream) Close() error {
	finish := func(*loop.Conn) { _ = s.Finish() } // ErrLength has closed the connection
	if s.sender.ref.DoUnbounded(finish) != nil {
		return s.cause()
	}
	return nil
}

func (d *sender) end() {
	for _, p := range d.waiting {
		p.done()
	}
	d.waiting = nil
	d.mu.Lock()
	d.ended = true
	d.change.Broadcast()
	d.mu.Unlock()
}
