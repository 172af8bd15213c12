package loop

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/eddynet/eddy/buffers"
)

// inboxBudget is how many tasks one cycle runs, so that goroutines that post
// without pause cannot keep the sockets waiting.
const inboxBudget = 1024

// maxTasks bounds the tasks that wait, some 60 MB of memory: a loop that does not keep
// up with those who post has them know.
const maxTasks = 1 << 20

// tasksKept bounds the task array that is kept for the next batch.
const tasksKept = 4 * inboxBudget

// task is one thing to do on a loop: run a function, or, where conn is set, hand
// the connection to a function or append output to it, unless it is closed.
type task struct {
	run    func()
	conn   *Conn
	visit  func(*Conn)
	output *buffers.Buffer // owned by the task
	must   bool            // it is taken also when the inbox is full
}

// inbox is how other goroutines reach a loop. Only the first task in an empty
// inbox wakes the poller, and only if the loop waits or is about to: all that come
// before the loop looks share that wake-up.
type inbox struct {
	mu      sync.Mutex
	tasks   []task      // guarded by mu
	ended   bool        // guarded by mu
	waiting atomic.Bool // there are tasks
	resting atomic.Bool // the loop will not look before it is woken

	taken []task // taken over by the loop, run from next on; the loop's own
	next  int
}

// pending says whether there is anything to run. Loop only.
func (b *inbox) pending() bool { return b.next < len(b.taken) || b.waiting.Load() }

// rest is called before a wait, and says whether to wait. Either it sees a task that
// has come meanwhile, or whoever posts it sees that the loop rests.
func (b *inbox) rest() bool {
	b.resting.Store(true)
	return !b.pending()
}

// rise is called after a wait.
func (b *inbox) rise() { b.resting.Store(false) }

func (l *Loop) post(t task) error {
	b := &l.inbox
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return ErrServerClosed
	}
	if len(b.tasks) >= maxTasks && !t.must {
		return ErrInboxFull
	}
	first := len(b.tasks) == 0
	b.tasks = append(b.tasks, t)
	b.waiting.Store(true)
	if first && b.resting.Load() {
		l.wake()
	}
	return nil
}

// wake must be called with the inbox locked, so that no wake-up comes after close: the
// poller's descriptors may be somebody else's by then. The task is in: if the loop
// cannot be woken now, that is tried again.
func (l *Loop) wake() {
	if err := l.poller.Wake(); err != nil {
		l.logger.Error("eddy: wake a loop", "error", err)
		time.AfterFunc(shortageDelay, l.wakeAgain)
	}
}

func (l *Loop) wakeAgain() {
	l.inbox.mu.Lock()
	defer l.inbox.mu.Unlock()
	if !l.inbox.ended && len(l.inbox.tasks) > 0 {
		l.wake()
	}
}

// take gets the next task, if there is one.
func (b *inbox) take() (t task, ok bool) {
	if b.next == len(b.taken) {
		if !b.waiting.Load() {
			return task{}, false
		}
		if cap(b.taken) > tasksKept {
			b.taken = nil // memory returns after a spike
		}
		b.mu.Lock()
		b.taken, b.tasks = b.tasks, b.taken[:0]
		b.waiting.Store(false)
		b.mu.Unlock()
		b.next = 0
	}
	t = b.taken[b.next]
	b.taken[b.next] = task{}
	b.next++
	return t, true
}

// drainInbox runs what was posted, up to the budget, and says whether it ran all.
func (l *Loop) drainInbox() bool {
	for range inboxBudget {
		t, ok := l.inbox.take()
		if !ok {
			return true
		}
		switch {
		case t.conn == nil:
			l.call(t.run)
		case t.output != nil:
			t.conn.writePosted(t.output)
		case t.conn.state != Closed:
			t.conn.call(t.visit)
		}
		if l.watch.mark.Load() != 0 { // as in returned, but t would be copied each time
			l.unmark(t)
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

// closed says whether tasks are refused.
func (b *inbox) closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended
}
