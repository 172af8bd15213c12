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

// piece is a pooled buffer, or memory whose owner waits until it is done with.
type piece struct {
	buffer *buffers.Buffer
	bytes  []byte
	done   func() // without a buffer
}

// drop gives up a piece that is not written.
func (p *piece) drop() {
	if p.buffer != nil {
		buffers.Put(p.buffer)
	} else {
		p.done()
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
// nil says that p is on its way. Any goroutine but the loop's, which it would stop.
func (s *Stream) Send(p []byte) error { return s.send(p, true) }

// TrySend is Send, but returns ErrOutputFull instead of blocking. Any goroutine.
func (s *Stream) TrySend(p []byte) error { return s.send(p, false) }

func (s *Stream) send(p []byte, wait bool) error {
	b := buffers.Get()
	b.B = append(b.B, p...) // before locking, for the loop takes the lock too
	return s.sendBuffer(b, wait)
}

// sendBuffer is send for a buffer, which it gives up.
func (s *Stream) sendBuffer(b *buffers.Buffer, wait bool) error {
	n := int64(len(b.B))
	err := s.sender.post(n, wait, func(*loop.Conn) { s.sendHere(piece{buffer: b}) })
	if err != nil || n == 0 {
		buffers.Put(b)
	}
	if err != nil && err != loop.ErrOutputFull {
		return s.cause()
	}
	return err
}

// post gives the loop a task for n bytes when there is room for them; for none there is
// nothing to do.
func (d *sender) post(n int64, wait bool, task func(*loop.Conn)) error {
	d.mu.Lock()
	defer d.mu.Unlock() // after posting, so that the order of calls is that of the tasks
	// One piece may be on its way whatever its size.
	for !d.ended && (d.full || d.onWay > 0 && d.onWay+n > d.window) {
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
	return d.ref.DoUnbounded(task)
}

// sendHere is the rest of Send, on the loop. A piece for a stream that has ended is
// dropped, as the next Send will say.
func (s *Stream) sendHere(p piece) {
	if s.session == nil {
		p.drop()
		return
	}
	s.sender.waiting = append(s.sender.waiting, p)
	s.writeWaiting()
}

// sendLast is sendHere for a buffer that has not waited for room, as no other follows it.
// Loop only.
func (s *Stream) sendLast(b *buffers.Buffer) {
	d := &s.sender
	d.mu.Lock()
	d.onWay += int64(len(b.B))
	d.mu.Unlock()
	s.sendHere(piece{buffer: b})
}

// writeWaiting writes the pieces that have come, while there is room.
func (s *Stream) writeWaiting() {
	d := &s.sender
	written, n := int64(0), 0
	for n < len(d.waiting) && s.Room() {
		p := &d.waiting[n]
		if p.buffer != nil {
			written += int64(len(p.buffer.B))
		}
		if s.writePiece(p) {
			n++
		}
	}
	d.waiting = slices.Delete(d.waiting, 0, n)
	d.mu.Lock()
	d.onWay -= written
	d.full = !s.Room()
	d.change.Broadcast()
	d.mu.Unlock()
	d.loop.Yield() // to those that have waited
}

// pieceMost is how many bytes of a piece without a buffer are written at once.
const pieceMost = 1 << 20

// writePiece writes a piece, or the next part of it, and says whether that was all. A
// failure ends the stream.
func (s *Stream) writePiece(p *piece) (all bool) {
	switch {
	case p.buffer != nil:
		s.writeBuffer(p.buffer)
	case len(p.bytes) > pieceMost:
		_ = s.writeOwned(p.bytes[:pieceMost], nil)
		p.bytes = p.bytes[pieceMost:]
		return false
	default:
		_ = s.writeOwned(p.bytes, p.done)
	}
	return true
}

// sendOwned is Send without a copy: it returns when p is written, or never will be.
func (s *Stream) sendOwned(p []byte) error {
	d := &s.sender
	done := make(chan struct{})
	err := d.loop.PostUnbounded(func() { // also if the connection is gone
		s.sendHere(piece{bytes: p, done: func() { close(done); d.loop.Yield() }})
	})
	if err != nil {
		return s.cause()
	}
	<-done
	return s.broken()
}

// broken is what has ended the stream, nil if nothing has.
func (s *Stream) broken() error {
	d := &s.sender
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return s.cause()
	}
	return nil
}

// Close is Finish behind everything that was sent before. It may be called more than
// once. Any goroutine.
func (s *Stream) Close() error {
	finish := func(*loop.Conn) { _ = s.Finish() } // ErrLength has aborted the connection
	if s.sender.ref.DoUnbounded(finish) != nil {
		return s.cause()
	}
	return nil
}

func (d *sender) end() {
	for i := range d.waiting {
		d.waiting[i].drop()
	}
	d.waiting = nil
	d.mu.Lock()
	d.ended = true
	d.change.Broadcast()
	d.mu.Unlock()
}
