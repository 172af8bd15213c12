package asynclog

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	// maxSize bounds the records that wait, in bytes as retain counts them.
	maxSize = 8 << 20
	// chunkRecords is how many records memory is allocated for at once. It is never
	// moved: nobody who logs waits for a copy of the queue.
	chunkRecords = 64
	// pause is how long a writer without records waits for more before it ends. Without
	// it, a busy loop would wake a thread for every record.
	pause = time.Millisecond
)

var errFull = errors.New("asynclog: the queue is full: the record was dropped")

// queue is shared by handlers with the same writer. The writer is a goroutine that
// starts with the first record and ends when none is left.
type queue struct {
	base slog.Handler // gets the reports of lost records

	batch  *chunk // being written. Writer only
	next   int    // the first of batch that is not written. Writer only
	unsaid uint64 // lost records that are not reported yet. Writer only

	mu          sync.Mutex
	first, last *chunk // guarded by mu: records that wait; nil for none
	size        int    // guarded by mu: of these
	writing     bool   // guarded by mu: there is a writer
	lost        uint64 // guarded by mu: records, since the start
	spare       *chunk // guarded by mu: empty ones
}

// chunk has records that follow each other.
type chunk struct {
	entries [chunkRecords]entry
	n       int    // of entries
	size    int    // of the records
	lost    uint64 // records that were dropped while this was the last chunk
	next    *chunk
}

// entry is a record that waits, or a mark.
type entry struct {
	next    slog.Handler
	ctx     context.Context
	record  slog.Record
	reached chan struct{} // of a mark, which is no record: closed when its turn has come
}

// add appends a record of this size. One that is larger than the whole queue fits when
// that is empty.
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

// mark returns a channel that is closed when all records added before are written, or nil
// if it is.
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
	c := q.spare
	if c == nil {
		c = new(chunk)
	} else {
		q.spare, c.next = c.next, nil
	}
	if q.last == nil {
		q.first = c
	} else {
		q.last.next = c
	}
	q.last = c
}

// write is the writer.
func (q *queue) write() {
	done := false
	defer func() {
		if !done {
			go q.write() // the wrapped handler has called runtime.Goexit
		}
	}()
	for q.take() {
		for q.next < q.batch.n {
			if e := &q.batch.entries[q.next]; e.reached != nil {
				q.report()
				q.next++
				close(e.reached)
			} else {
				q.next++ // also if it is never written
				q.handle(e)
			}
		}
		q.report()
		q.release()
	}
	done = true
}

// take makes the first chunk the batch. If there is none, not even after a pause, the
// writer must end.
func (q *queue) take() bool {
	if q.batch != nil {
		return true // another writer has begun it
	}
	if q.takeFirst(false) {
		return true
	}
	time.Sleep(pause)
	return q.takeFirst(true)
}

// takeFirst ends the writing if there is no chunk and this was the last look.
func (q *queue) takeFirst(last bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	c := q.first
	if c == nil {
		if last {
			q.writing = false
			if q.spare != nil {
				q.spare.next = nil // an idle log keeps one
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
	q.unsaid += c.lost
	return true
}

// release ends the batch.
func (q *queue) release() {
	c := q.batch
	q.batch = nil
	clear(c.entries[:c.n])
	c.n, c.size, c.lost = 0, 0, 0
	q.mu.Lock()
	defer q.mu.Unlock()
	c.next, q.spare = q.spare, c
}

// handle has a record written. A panic costs the record, not the program.
func (q *queue) handle(e *entry) {
	returned := false
	defer func() {
		_ = recover()
		if !returned {
			q.unsaid++
			q.mu.Lock()
			defer q.mu.Unlock()
			q.lost++
		}
	}()
	_ = e.next.Handle(e.ctx, e.record) // slog.Logger has no use for an error either
	returned = true
}

// report writes how many records were lost since the last report.
func (q *queue) report() {
	n, ctx := q.unsaid, context.Background()
	q.unsaid = 0
	defer func() {
		if recover() != nil {
			q.unsaid = n // for the next report
		}
	}()
	if n == 0 || !q.base.Enabled(ctx, slog.LevelWarn) {
		return
	}
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "asynclog: records were dropped: the log is written too slowly, or its handler panics", 0)
	r.AddAttrs(slog.Uint64("dropped", n))
	_ = q.base.Handle(ctx, r)
}

func (q *queue) dropped() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lost
}
