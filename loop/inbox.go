package loop

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// A cycle runs inboxBudget tasks, or for inboxTime: those who post cannot starve the sockets.
	inboxBudget = 1024
	inboxTime   = 2 * time.Millisecond
	// maxTasks bounds the waiting tasks, some 60 MB: beyond it, posting is an error.
	maxTasks = 1 << 20
	// tasksKept bounds the array that is kept for the next batch.
	tasksKept = 4 * inboxBudget
	// copyLimit is the size in bytes up to which posted output is merged, and copied.
	copyLimit = 4 << 10
)

// task is a function, or, with conn, a function of it or output to append, unless it is closed.
type task struct {
	run       func()
	conn      *Conn
	visit     func(*Conn) // nil for output
	output    []byte      // of which the inbox keeps a copy
	unbounded bool        // accepted also when the inbox is full
}

// inbox is how other goroutines reach a loop. Its first task wakes the poller, if the loop waits.
type inbox struct {
	mu      sync.Mutex
	tasks   []task      // guarded by mu
	ended   bool        // guarded by mu, set by the loop
	unwoken bool        // guarded by mu: the last attempt to wake the loop has failed
	waiting atomic.Bool // there are tasks
	asleep  atomic.Bool // the loop will not look before it is woken

	batch []task // that the loop runs, from next on; the loop's own
	next  int
}

func (b *inbox) pending() bool { return b.next < len(b.batch) || b.waiting.Load() }

// prepareToWait reports whether to wait. Either it sees a task posted meanwhile, or the goroutine
// that posts sees that the loop is asleep.
func (b *inbox) prepareToWait() bool {
	b.asleep.Store(true)
	return !b.pending()
}

func (b *inbox) doneWaiting() { b.asleep.Store(false) }

func (l *Loop) post(t task) error {
	b := &l.inbox
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return ErrServerClosed
	}
	if len(t.output) > 0 && b.merge(t.conn, t.output) {
		return nil
	}
	if len(b.tasks) >= maxTasks && !t.unbounded {
		return ErrInboxFull
	}
	t.output = bytes.Clone(t.output)
	first := len(b.tasks) == 0
	b.tasks = append(b.tasks, t)
	b.waiting.Store(true)
	if (first || b.unwoken) && b.asleep.Load() {
		l.wake()
	}
	return nil
}

// merge appends small output to the last task if that is of the same connection: writes in a row
// need little more memory than their bytes.
func (b *inbox) merge(c *Conn, p []byte) bool {
	if len(b.tasks) == 0 {
		return false
	}
	last := &b.tasks[len(b.tasks)-1]
	fits := last.conn == c && last.visit == nil && len(last.output)+len(p) <= copyLimit
	if fits {
		last.output = append(last.output, p...)
	}
	return fits
}

// wake must be called with the inbox locked: after the end, the poller's descriptors may be
// somebody else's. After an error the next task tries again, and so does a timer.
func (l *Loop) wake() {
	b := &l.inbox
	err := l.poller.Wake()
	if err != nil && !b.unwoken {
		l.logger.Error("eddy: wake a loop", "error", err)
		time.AfterFunc(shortageDelay, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			again := b.unwoken && !b.ended && len(b.tasks) > 0
			if b.unwoken = false; again {
				l.wake()
			}
		})
	}
	b.unwoken = err != nil
}

func (b *inbox) pop() (t task, ok bool) {
	if b.next == len(b.batch) {
		if !b.waiting.Load() {
			return task{}, false
		}
		if cap(b.batch) > tasksKept {
			b.batch = nil // memory returns after a spike
		}
		b.mu.Lock()
		b.batch, b.tasks = b.tasks, b.batch[:0]
		b.waiting.Store(false)
		b.mu.Unlock()
		b.next = 0
	}
	t = b.batch[b.next]
	b.batch[b.next] = task{}
	b.next++
	return t, true
}

// runTasks runs tasks, within the budget, and reports whether it ran all.
func (l *Loop) runTasks() bool {
	until := int64(0)
	for range inboxBudget {
		t, ok := l.inbox.pop()
		if !ok {
			return true
		}
		switch {
		case t.conn == nil:
			l.call(t.run)
		case t.visit == nil:
			t.conn.writePosted(t.output)
		case t.conn.state != closed:
			t.conn.call(t.visit)
		}
		if l.watch.mark.Load() != 0 { // as in returned, but t would be copied each time
			l.unmark(t)
		}
		switch now := l.clock(); {
		case until == 0:
			until = now + int64(inboxTime)
		case now >= until:
			return !l.inbox.pending()
		}
	}
	return false
}

// Ref is the handle of a connection for other goroutines. After the end of the connection it is
// harmless. It may be copied. The zero Ref refers to no connection.
type Ref struct{ c *Conn }

// Ref returns the handle for other goroutines.
func (c *Conn) Ref() Ref { return Ref{c} }

// Do runs fn on the loop of the connection. It returns ErrClosed when that is closed,
// ErrServerClosed when the loop has ended, ErrInboxFull when it does not keep up. If the connection
// closes before fn has run, fn is not called: EventClosed tells of it. Any goroutine.
func (r Ref) Do(fn func(c *Conn)) error { return r.post(task{conn: r.c, visit: fn}) }

// DoUnbounded is Do for tasks with another bound. Any goroutine.
func (r Ref) DoUnbounded(fn func(c *Conn)) error {
	return r.post(task{conn: r.c, visit: fn, unbounded: true})
}

func (r Ref) post(t task) error {
	if r.Gone() {
		return ErrClosed
	}
	return r.c.loop.post(t)
}

// Write appends a copy of p to the pending output. It returns ErrClosed when the connection is
// closing or closed, and ErrOutputFull, with nothing written, while the output is above its
// high-water mark. Writes of one goroutine keep their order. Any goroutine.
func (r Ref) Write(p []byte) error {
	if r.c == nil || r.c.shows(mute) {
		return ErrClosed
	}
	c, n := r.c, int64(len(p))
	if c.shows(full) {
		return ErrOutputFull
	}
	// Beyond the mark one write may be on its way, whatever its size.
	if posted := c.posted.Add(n); posted > c.settings.HighWater && posted > n {
		c.posted.Add(-n)
		return ErrOutputFull
	}
	if err := c.loop.post(task{conn: c, output: p}); err != nil {
		c.posted.Add(-n)
		return err
	}
	return nil
}

func (c *Conn) writePosted(p []byte) {
	if q, err := c.queueBeyond(); err == nil { // Write has bounded it; EventClosed reports a loss, as Do says
		if len(p) > copyLimit {
			q.WriteOwned(p, nil)
		} else {
			q.Write(p)
		}
		c.markFull()
	}
	// Only now may further writes follow: full is set if the output is full.
	c.posted.Add(-int64(len(p)))
}

// Gone reports that the connection is closed. Any goroutine.
func (r Ref) Gone() bool { return r.c == nil || r.c.shows(gone) }

// Post runs fn on the loop, after all tasks posted before. It returns ErrServerClosed when the loop
// has ended, ErrInboxFull when it does not keep up; then fn does not run. Any goroutine.
func (l *Loop) Post(fn func()) error { return l.post(task{run: fn}) }

// PostUnbounded is Post for tasks with another bound, such as one a request. Any goroutine.
func (l *Loop) PostUnbounded(fn func()) error { return l.post(task{run: fn, unbounded: true}) }
