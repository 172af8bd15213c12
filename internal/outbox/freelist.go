// Package outbox holds the output of connections that the kernel has not accepted yet.
package outbox

import "github.com/eddynet/eddy/buffers"

// maxFree is the number of buffers and of queues that a FreeList keeps: a loop writes
// that many responses in a row.
const maxFree = 16

// FreeList keeps the output buffers and queues that one loop has used last, still warm in
// the cache: a request that is responded to at once uses neither the pool nor the
// allocator. The zero FreeList is ready for use. It belongs to one goroutine.
type FreeList struct {
	buffers []*buffers.Buffer
	size    int // capacity of buffers in bytes, at most buffers.MaxKept
	queues  []*Queue
}

// Get returns an empty buffer, which the caller owns.
func (l *FreeList) Get() *buffers.Buffer {
	b := pop(&l.buffers)
	if b == nil {
		return buffers.Get()
	}
	l.size -= cap(b.B)
	return b
}

// Put takes the ownership of b.
func (l *FreeList) Put(b *buffers.Buffer) {
	if size := l.size + cap(b.B); len(l.buffers) < maxFree && size <= buffers.MaxKept {
		b.Reset()
		l.buffers = append(l.buffers, b)
		l.size = size
		return
	}
	buffers.Put(b)
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
