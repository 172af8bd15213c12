// Package buffers holds the bytes of connections that must outlive one callback:
// input that is not complete yet, and output that the kernel has not taken yet.
//
// One rule of ownership: a buffer has exactly one owner at any time. Get makes
// the caller the owner; Put, and the methods of Queue that say so, pass the
// ownership on, after which the former owner must not touch the buffer or any
// slice of it.
//
// It serves the engine. Programs meet a Buffer in Conn.Out and Conn.WriteBuffer, and
// may take one from Get.
package buffers

import "github.com/valyala/bytebufferpool"

// Buffer is a growable byte slice from the pool: append to B.
type Buffer = bytebufferpool.ByteBuffer

// MaxKept is the largest capacity in bytes of output that goes back to its pool. A buffer
// that grew beyond it for one large message is left to the garbage collector,
// so that memory returns after a spike.
const MaxKept = 64 << 10

// Pool is a pool of buffers for one purpose. Purposes want pools of their own when
// their sizes differ: otherwise a large buffer comes to somebody who keeps a few bytes
// in it for long.
type Pool struct {
	pool bytebufferpool.Pool
	most int
}

// NewPool returns a pool that keeps buffers of up to most bytes of capacity.
func NewPool(most int) *Pool { return &Pool{most: most} }

// Get returns an empty buffer, which the caller owns. Any goroutine may call it.
func (p *Pool) Get() *Buffer { return p.pool.Get() }

// Put gives up the ownership of b, which came from any pool. Any goroutine may call
// it.
func (p *Pool) Put(b *Buffer) {
	if cap(b.B) <= p.most {
		p.pool.Put(b)
	}
}

// output is the pool of what is written.
var output = NewPool(MaxKept)

// Get returns an empty buffer for output, which the caller owns. Any goroutine may
// call it.
func Get() *Buffer { return output.Get() }

// Put gives up the ownership of b. Any goroutine may call it.
func Put(b *Buffer) { output.Put(b) }

// spares is how many buffers and queues a Spare keeps: a loop writes that many answers
// one after the other.
const spares = 16

// Spare is one loop's front to the pool. It keeps the buffers and queues that
// were given back last, still warm in the cache: a request that is answered at
// once touches neither the pool nor the allocator. It belongs to one goroutine.
type Spare struct {
	buffers []*Buffer
	size    int // bytes of capacity of buffers, at most MaxKept
	queues  []*Queue
}

// Get is Get, with the spare ones first.
func (s *Spare) Get() *Buffer {
	last := len(s.buffers) - 1
	if last < 0 {
		return Get()
	}
	b := s.buffers[last]
	s.buffers[last] = nil // its new owner may let it grow
	s.buffers = s.buffers[:last]
	s.size -= cap(b.B)
	return b
}

// Put is Put, with the spare ones first.
func (s *Spare) Put(b *Buffer) {
	if size := s.size + cap(b.B); len(s.buffers) < spares && size <= MaxKept {
		b.Reset()
		s.buffers = append(s.buffers, b)
		s.size = size
		return
	}
	Put(b)
}
