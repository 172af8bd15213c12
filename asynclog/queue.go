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
	// pause is how long the writer waits for more before it looks again. Without it,
	// a busy loop would wake a thread for every record.
	pause = time.Millisecond
	// keepRecords is how many records the queue of an idle log has room for.
	keepRecords = 64
)

var errFull = errors.New("asynclog: the queue is full: the record was dropped")

// queue is what handlers with the same writer share. The writer is a goroutine that
// starts with the first record and ends when none is left.
type queue struct {
	base slog.Handler // is told of lost records

	batch  []entry // being written. Writer only
	next   int     // the first of batch that is not written. Writer only
	unsaid uint64  // lost records before the end of batch, to be reported. Writer only

	mu      sync.Mutex
	pending []entry // guarded by mu
	size    int     // guarded by mu: of pending
	writing bool    // guarded by mu: there is a writer
	lost    uint64  // guarded by mu: records, since the start
	behind  uint64  // guarded by mu: of these, those that would be behind pending
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
	if q.size > 0 && q.size+size > limit {
		q.lost++
		q.behind++
		return errFull
	}
	q.size += size
	q.append(e)
	return nil
}

// mark returns a channel that is closed when what was added before is written, or nil
// if it is.
func (q *queue) mark() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.writing {
		return nil
	}
	reached := make(chan struct{})
	q.append(&entry{reached: reached})
	return reached
}

// append must be called with the queue locked.
func (q *queue) append(e *entry) {
	q.pending = append(q.pending, *e)
	if !q.writing {
		q.writing = true
		go q.write()
	}
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
		for q.next < len(q.batch) {
			e := &q.batch[q.next]
			q.next++
			if e.reached != nil {
				q.report()
				close(e.reached)
			} else {
				q.handle(e)
			}
		}
		q.report()
		time.Sleep(pause)
	}
	done = true
}

// take makes what is pending the batch. If nothing is, the writer must end.
func (q *queue) take() bool {
	if q.next < len(q.batch) {
		return true // another writer has begun it
	}
	clear(q.batch)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.batch, q.pending = q.pending, q.batch[:0]
	q.unsaid += q.behind
	q.next, q.size, q.behind = 0, 0, 0
	if len(q.batch) > 0 {
		return true
	}
	q.writing = false
	if cap(q.batch)+cap(q.pending) > 2*keepRecords {
		q.batch, q.pending = nil, nil
	}
	return false
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
	defer func() { _ = recover() }() // it is written later
	ctx := context.Background()
	if q.unsaid == 0 || !q.base.Enabled(ctx, slog.LevelWarn) {
		return
	}
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "asynclog: records were dropped: the log is written too slowly, or its handler panics", 0)
	r.AddAttrs(slog.Uint64("dropped", q.unsaid))
	_ = q.base.Handle(ctx, r)
	q.unsaid = 0
}

func (q *queue) dropped() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lost
}
