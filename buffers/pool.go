// Package buffers pools buffers for bytes that must outlive one callback: incomplete input, bodies, pending output.
//
// A buffer has exactly one owner at any time. Get makes the caller the owner. Put, and methods that say so, transfer
// the ownership: the former owner must not touch the buffer or any slice of it afterwards.
package buffers

import "github.com/valyala/bytebufferpool"

// Buffer is a growable byte slice from a pool: append to B.
type Buffer = bytebufferpool.ByteBuffer

// MaxKept is the largest capacity in bytes of an output buffer that is reused. A buffer that has grown beyond it for
// one large message is left to the garbage collector, so that memory shrinks after a peak.
const MaxKept = 64 << 10

// Pool is a pool of buffers for one purpose. Purposes with different sizes need separate pools: otherwise a large
// buffer is held for a long time to store a few bytes. Any goroutine may use a Pool.
type Pool struct {
	pool        bytebufferpool.Pool
	maxCapacity int
}

// NewPool returns a pool that keeps buffers of up to maxCapacity bytes.
func NewPool(maxCapacity int) *Pool { return &Pool{maxCapacity: maxCapacity} }

// Get returns an empty buffer, which the caller owns.
func (p *Pool) Get() *Buffer { return p.pool.Get() }

// Put takes the ownership of b, which may come from any pool.
func (p *Pool) Put(b *Buffer) {
	if cap(b.B) <= p.maxCapacity {
		p.pool.Put(b)
	}
}

var output = NewPool(MaxKept)

// Get returns an empty buffer for output, which the caller owns. Any goroutine may call it.
func Get() *Buffer { return output.Get() }

// Put takes the ownership of b. Any goroutine may call it.
func Put(b *Buffer) { output.Put(b) }
