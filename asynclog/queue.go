package asynclog

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	// maxSize bounds the queued records, in bytes as counted by retain.
	maxSize = 8 << 20
	// chunkRecords is the number of records in one allocation. A chunk is never moved,
	// so that no caller waits for a copy of the queue.
	chunkRecords = 64
	// pause is the time that an idle writer waits for records before it ends. Without
	// it, a busy loop would wake a thread for every record.
	pause = time.Millisecond
)

var errFull = errors.New("asynclog: the queue is full: record dropped")

// queue is shared by handlers with the same writer. The writer is a goroutine that
// starts with the first record and ends when the queue is empty.
type queue struct {
	base slog.Handler // gets the reports of dropped records

	batch      *chunk // being written. Writer only
	next       int    // index in batch of the next record. Writer only
	unreported uint64 // dropped records not reported yet. Writer only

	mu          sync.Mutex
	first, last *chunk // guarded by mu: queued records; nil for none
	size        int    // guarded by mu: bytes of the queued records
	writing     bool   // guarded by mu: the writer runs
	lost        uint64 // guarded by mu: records dropped since the start
	free        *chunk // guarded by mu: list of empty chunks
}

// chunk is a list element of the queue, with consecutive records.
type chunk struct {
	entries [chunkRecords]entry
	n       int    // entries in use
	size    int    // bytes of the records
	lost    uint64 // records dropped while this was the last chunk
	next    *chunk
}

// entry is a queued record, or a mark.
type entry struct {
	next    slog.Handler
	ctx     context.Context
	record  slog.Record
	reached chan struct{} // not nil for a mark, which is no record: closed when the writer reaches it
}

// add appends a record of this size. A record larger than the whole queue fits an empty
// queue.
func (q *queue) add(e *entry, size int) error {
	limit := maxSize
	if e.record.Level < slog.LevelWarn {
		limit /= 2
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.last != nil && q.size+size > limit {
		q.lost++
		q.last.lost++
		return errFull
	}
	q.append(e, size)
	return nil
}

// mark returns a channel that is closed when all records added so far are written, or
// nil if they are.
func (q *queue) mark() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.writing {
		return nil
	}
	reached := make(chan struct{})
	q.append(&entry{reached: reached}, 0)
	return reached
}

// append must be called with the queue locked.
func (q *queue) append(e *entry, size int) {
	if q.last == nil || q.last.n == chunkRecords {
		q.extend()
	}
	c := q.last
	c.entries[c.n] = *e
	c.n++
	c.size += size
	q.size += size
	if !q.writing {
		q.writing = true
		go q.write()
	}
}

// extend appends an empty chunk. The queue is locked.
func (q *queue) extend() {
	c := q.free
	if c == nil {
		c = new(chunk)
	} else {
		q.free, c.next = c.next, nil
	}
	if q.last == nil {
		q.first = c
	} else {
		q.last.next = c
	}
	q.last = c
}

// write runs on the writer's goroutine.
func (q *queue) write() {
	done := false
	defer func() {
		if !done {
			go q.write() // the wrapped handler has called runtime.Goexit
		}
	}()
	for q.nextBatch() {
		for q.next < q.batch.n {
			if e := &q.batch.entries[q.next]; e.reached != nil {
				q.report()
				q.next++
				close(e.reached)
			} else {
				q.next++ // first, since handle may not return
				q.handle(e)
			}
		}
		q.report()
		q.release()
	}
	done = true
}

// nextBatch makes the first chunk the batch. Without one, even after a pause, it returns
// false and the writer ends.
func (q *queue) nextBatch() bool {
	if q.batch != nil {
		return true // begun by a writer that ended with runtime.Goexit
	}
	if q.dequeue(false) {
		return true
	}
	time.Sleep(pause)
	return q.dequeue(true)
}

// dequeue moves the first chunk to batch. Without a chunk, final marks the writer as
// ended.
func (q *queue) dequeue(final bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.first
	if c == nil {
		if final {
			q.writing = false
			if q.free != nil {
				q.free.next = nil // an idle queue keeps one chunk
			}
		}
		return false
	}
	q.first = c.next
	if q.first == nil {
		q.last = nil
	}
	q.size -= c.size
	q.batch, q.next = c, 0
	q.unreported += c.lost
	return true
}

// release returns the batch to the free list.
func (q *queue) release() {
	c := q.batch
	q.batch = nil
	clear(c.entries[:c.n])
	c.n, c.size, c.lost = 0, 0, 0
	q.mu.Lock()
	defer q.mu.Unlock()
	c.next, q.free = q.free, c
}

// handle writes a record. A panic costs the record, not the program.
func (q *queue) handle(e *entry) {
	returned := false
	defer func() {
		_ = recover()
		if !returned {
			q.unreported++
			q.mu.Lock()
			defer q.mu.Unlock()
			q.lost++
		}
	}()
	_ = e.next.Handle(e.ctx, e.record) // slog.Logger ignores this error too
	returned = true
}

// report writes the number of records dropped since the last report.
func (q *queue) report() {
	n, ctx := q.unreported, context.Background()
	q.unreported = 0
	defer func() {
		if recover() != nil {
			q.unreported = n // for the next report
		}
	}()
	if n == 0 || !q.base.Enabled(ctx, slog.LevelWarn) {
		return
	}
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "asynclog: records were dropped: the log output is too slow, or its handler panics", 0)
	r.AddAttrs(slog.Uint64("dropped", n))
	_ = q.base.Handle(ctx, r)
}

func (q *queue) dropped() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lost
}
