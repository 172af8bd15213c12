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
	window int64 // bytes

	waiting []*buffers.Buffer // pieces that have come and wait for room. Loop only

	mu     sync.Mutex
	change sync.Cond // on mu: room, or the end
	onWay  int64     // guarded by mu: bytes
	full   bool      // guarded by mu: the connection's output is
	ended  bool      // guarded by mu
}

func (d *sender) begin(x *session) {
	d.ref = x.conn.Ref()
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
	err := s.sender.post(n, wait, func(*loop.Conn) { s.sendHere(b) })
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
	return d.ref.DoAnyway(task)
}

// sendHere is the rest of Send, on the loop.
func (s *Stream) sendHere(b *buffers.Buffer) {
	s.sender.waiting = append(s.sender.waiting, b)
	s.writeWaiting()
}

// writeWaiting writes the pieces that have come, while there is room. Those of an
// ended stream are dropped, as the next Send will say.
func (s *Stream) writeWaiting() {
	d := &s.sender
	written, n := int64(0), 0
	for n < len(d.waiting) && (s.session == nil || s.Room()) {
		b := d.waiting[n]
		n++
		written += int64(len(b.B))
		if s.session != nil {
			s.writeBuffer(b)
		} else {
			buffers.Put(b)
		}
	}
	d.waiting = slices.Delete(d.waiting, 0, n)
	d.mu.Lock()
	d.onWay -= written
	d.full = s.session != nil && !s.Room()
	d.change.Broadcast()
	d.mu.Unlock()
	if s.session != nil {
		s.session.conn.Loop().Yield() // to those that have waited
	}
}

// Close is Finish behind everything that was sent before. It may be called more than
// once. Any goroutine.
func (s *Stream) Close() error {
	finish := func(*loop.Conn) { _ = s.Finish() } // ErrLength has aborted the connection
	if s.sender.ref.DoAnyway(finish) != nil {
		return s.cause()
	}
	return nil
}

func (d *sender) end() {
	d.mu.Lock()
	d.ended = true
	d.change.Broadcast()
	d.mu.Unlock()
}
