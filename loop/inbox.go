package loop

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// inboxBudget is how many tasks one cycle runs, and inboxTime how long it runs
	// them, so that goroutines that post without pause cannot keep the sockets waiting.
	inboxBudget = 1024
	inboxTime   = 2 * time.Millisecond
)

// maxTasks bounds the tasks that wait, some 60 MB of memory: beyond it, posting is an
// error.
const maxTasks = 1 << 20

// tasksKept bounds the task array that is kept for the next batch.
const tasksKept = 4 * inboxBudget

// task is run on a loop: a function, or, where conn is set, a function of the connection
// or output to append to it, unless it is closed.
type task struct {
	run       func()
	conn      *Conn
	visit     func(*Conn) // nil for output
	output    []byte      // owned by the task
	unbounded bool        // accepted also when the inbox is full
}

// inbox is how other goroutines reach a loop. Only the first task in an empty
// inbox wakes the poller, and only if the loop waits or is about to: all that come
// before the loop looks share that wake-up.
type inbox struct {
	mu      sync.Mutex
	tasks   []task      // guarded by mu
	ended   bool        // guarded by mu
	unwoken bool        // guarded by mu: the last attempt to wake the loop has failed
	waiting atomic.Bool // there are tasks
	asleep  atomic.Bool // the loop will not look before it is woken

	batch []task // that the loop runs, from next on; the loop's own
	next  int
}

// pending reports whether there are tasks. Loop only.
func (b *inbox) pending() bool { return b.next < len(b.batch) || b.waiting.Load() }

// prepareToWait is called before a wait, and reports whether to wait. Either it sees a
// task that has come meanwhile, or the goroutine that posts it sees that the loop is asleep.
func (b *inbox) prepareToWait() bool {
	b.asleep.Store(true)
	return !b.pending()
}

// doneWaiting is called after a wait.
func (b *inbox) doneWaiting() { b.asleep.Store(false) }

func (l *Loop) post(t task) error {
	l.inbox.mu.Lock()
	defer l.inbox.mu.Unlock()
	return l.postLocked(t)
}

// postOutput has a copy of p appended to c's output. Small writes in a row share a
// task, and so their memory is about that of their bytes.
func (l *Loop) postOutput(c *Conn, p []byte) error {
	b := &l.inbox
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.tasks); n > 0 {
		last := &b.tasks[n-1]
		if last.conn == c && last.visit == nil && len(last.output)+len(p) <= copyLimit {
			last.output = append(last.output, p...)
			return nil
		}
	}
	return l.postLocked(task{conn: c, output: bytes.Clone(p)})
}

// postLocked is post with the inbox locked.
func (l *Loop) postLocked(t task) error {
	b := &l.inbox
	if b.ended {
		return ErrServerClosed
	}
	if len(b.tasks) >= maxTasks && !t.unbounded {
		return ErrInboxFull
	}
	first := len(b.tasks) == 0
	b.tasks = append(b.tasks, t)
	b.waiting.Store(true)
	if (first || b.unwoken) && b.asleep.Load() {
		l.wake()
	}
	return nil
}

// wake must be called with the inbox locked, so that no wake-up comes after close: the
// poller's descriptors may be somebody else's by then. The task is in the inbox: if the
// loop cannot be woken now, the next task tries again, and so does a timer.
func (l *Loop) wake() {
	b := &l.inbox
	err := l.poller.Wake()
	if err != nil && !b.unwoken {
		l.logger.Error("eddy: wake a loop", "error", err)
		time.AfterFunc(shortageDelay, l.wakeAgain)
	}
	b.unwoken = err != nil
}

func (l *Loop) wakeAgain() {
	b := &l.inbox
	b.mu.Lock()
	defer b.mu.Unlock()
	again := b.unwoken && !b.ended && len(b.tasks) > 0
	b.unwoken = false
	if again {
		l.wake()
	}
}

// pop returns the next task, if there is one.
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

// runTasks runs posted tasks, within the budget, and reports whether it ran all.
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

// close refuses further tasks.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}

// closed reports whether tasks are refused.
func (b *inbox) closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended
}
