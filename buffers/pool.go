// Package buffers holds the bytes of connections that must outlive one callback: incomplete input, and output
// that the kernel has not accepted yet.
//
// A buffer has exactly one owner at any time. Get makes the caller the owner. Put, and the methods of Queue that
// say so, transfer the ownership: the former owner must not touch the buffer or any slice of it afterwards.
//
// The package serves the engine. Programs meet a Buffer in Conn.Out and Conn.WriteBuffer, and may get one from Get.
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

// maxFree is the number of buffers and of queues that a FreeList keeps: a loop writes
// that many responses in a row.
const maxFree = 16

// FreeList keeps the output buffers and queues that one loop has used last, still warm in
// the cache: a request that is responded to at once uses neither the pool nor the
// allocator. The zero FreeList is ready for use. It belongs to one goroutine.
type FreeList struct {
	buffers []*Buffer
	size    int // capacity of buffers in bytes, at most MaxKept
	queues  []*Queue
}

// Get returns an empty buffer, which the caller owns.
func (l *FreeList) Get() *Buffer {
	b := pop(&l.buffers)
	if b == nil {
		return Get()
	}
	l.size -= cap(b.B)
	return b
}

// Put takes the ownership of b.
func (l *FreeList) Put(b *Buffer) {
	if size := l.size + cap(b.B); len(l.buffers) < maxFree && size <= MaxKept {
		b.Reset()
		l.buffers = append(l.buffers, b)
		l.size = size
		return
	}
	Put(b)
}

// GetQueue returns an empty queue, which the caller owns. The queue gets its buffers from l.
func (l *FreeList) GetQueue() *Queue {
	if q := pop(&l.queues); q != nil {
		return q
	}
	return &Queue{free: l}
}

// PutQueue takes the ownership of q and discards its content.
func (l *FreeList) PutQueue(q *Queue) {
	q.discard()
	q.Noted = 0
	if len(l.queues) < maxFree && cap(q.segments) <= maxSegmentsKept {
		l.queues = append(l.queues, q)
	}
}

// pop removes the last element, nil if there is none.
func pop[T any](list *[]*T) *T {
	last := len(*list) - 1
	if last < 0 {
		return nil
	}
	element := (*list)[last]
	(*list)[last] = nil // the new owner may let it grow
	*list = (*list)[:last]
	return element
}
