package loop

import (
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"time"

	"github.com/eddynet/eddy/internal/sockets"
	"github.com/eddynet/eddy/internal/watchdog"
	"github.com/eddynet/eddy/internal/wheel"
	"github.com/eddynet/eddy/poller"
)

// inputSize is the bytes of a loop's read buffer, and the most that one connection is read in a
// cycle.
const inputSize = 64 << 10

// maxPostponed is how many cycles a flood of events may hold up the timers.
const maxPostponed = 64

// yieldEvery is how long a loop runs before it lets others run. Go's scheduler would preempt it
// after 10 ms, and then look for others every 20 microseconds: 2 to 20 % of a processor.
const yieldEvery = 5 * time.Millisecond

const (
	// maxBatch is how many connections are read and served before their output is written. With
	// hundreds of active ones, writes in a row cost 2 to 3 % less of a small request.
	maxBatch = 16
	// quickEvent is how long an event may take, on the average of a cycle. After a slower cycle,
	// output is not held up for promptFor.
	quickEvent = 20 * time.Microsecond
	promptFor  = 10 * time.Millisecond
)

// Waits longer than parkAbove park, shorter than blockBelow block, on the average of some 16, each
// of longWait at most. In between both cost the same.
const (
	parkAbove  = 100 * time.Microsecond
	blockBelow = 50 * time.Microsecond
	longWait   = 400 * time.Microsecond
)

// Config configures the reactors of an engine.
type Config struct {
	Loops       int                // how many reactors
	Logger      *slog.Logger       // the engine's does not block: see package asynclog
	MaxConns    int                // open connections that are served, on all loops
	MaxRefusals int                // open connections beyond MaxConns: see Conn.Overloaded
	Settings    Settings           // that connections start with
	Clock       func() int64       // nanoseconds on a monotonic clock; nil is the system's
	Watchdog    *watchdog.Watchdog // nil for none
}

// New returns reactors that do not run yet.
func New(cfg Config) (reactors []*Reactor, err error) {
	limit := newLimit(cfg.MaxConns, cfg.MaxRefusals)
	for i := range cfg.Loops {
		r, err := newReactor(cfg, i, limit)
		if err != nil {
			for _, r := range reactors {
				r.Discard()
			}
			return nil, err
		}
		reactors = append(reactors, r)
	}
	return reactors, nil
}

func newReactor(cfg Config, index int, limit *limit) (*Reactor, error) {
	p, err := poller.Open()
	if err != nil {
		return nil, fmt.Errorf("eddy: open a poller: %w", err)
	}
	clock := cfg.Clock
	if clock == nil {
		clock = sinceStart
	}
	l := &Loop{
		poller:   p,
		accept:   sockets.Accept,
		clock:    clock,
		now:      clock(),
		logger:   cfg.Logger,
		limit:    limit,
		index:    index,
		settings: cfg.Settings,
		input:    make([]byte, inputSize),
		slices:   make([][]byte, 0, sockets.MaxSlices),
		batch:    maxBatch,
	}
	l.wheel = wheel.New(l.now / wheel.Tick)
	l.watch.watchdog = cfg.Watchdog
	l.begin()
	l.publish() // it is idle
	return &Reactor{l}, nil
}

var start = time.Now()

// sinceStart reads only the monotonic clock: half the cost of time.Now.
func sinceStart() int64 { return int64(time.Since(start)) }

// Run runs the loop on the calling goroutine until Drain or Force was called and the last
// connection is gone. If a callback calls runtime.Goexit, it ends the loop without returning.
func (r *Reactor) Run() error {
	l, returned := r.Loop, false
	defer func() {
		if !returned {
			_ = l.Panicked(ErrGoexit) // nobody to close: all are
		}
		l.end()
	}()
	l.watch.id.Store(watchdog.GoroutineID())
	l.begin()
	var err error
	for err == nil && !l.drained() {
		err = l.cycle(poller.Forever)
	}
	returned = true
	return err
}

// Turn runs one cycle, which waits for at most patience, on the calling goroutine, and reports
// whether there is more to do at once. It is for tests, in place of Run.
func (r *Reactor) Turn(patience time.Duration) (more bool, err error) {
	err = r.cycle(patience)
	return r.hasWork(), err
}

// hasWork reports whether the loop has something to do without an event.
func (l *Loop) hasWork() bool {
	return len(l.scheduled) > 0 || len(l.closed) > 0 || l.inbox.pending()
}

// NextTimer is when the first timer may expire, on the loop's clock; -1 without any. For tests.
func (r *Reactor) NextTimer() int64 {
	if next := r.wheel.Next(); next >= 0 {
		return next * wheel.Tick
	}
	return -1
}

func (l *Loop) drained() bool {
	return l.draining && l.conns == 0 && len(l.acceptors) == 0 && !l.inbox.pending()
}

// cycle is the reactor: all that happens on a loop, in this order. It waits for at most patience.
func (l *Loop) cycle(patience time.Duration) error {
	yielded := l.yield
	if yielded || l.now >= l.yieldAt {
		l.yield = false
		l.yieldAt = l.now + int64(yieldEvery)
		l.publish() // to the others
		runtime.Gosched()
	}
	timeout := l.timeout()
	if patience != poller.Forever && (timeout == poller.Forever || timeout > patience) {
		timeout = patience
	}
	l.publish()
	if timeout != 0 && !l.inbox.prepareToWait() {
		timeout = 0
	}
	events, err := l.wait(timeout)
	l.events = len(events)
	l.inbox.doneWaiting()
	if err != nil {
		return err
	}
	l.begin()
	l.waited(time.Duration(l.now-l.idleSince), yielded)
	for _, event := range events {
		if s := l.table.Lookup(event.Token); s != nil {
			s.ready(event.Ready)
			l.returned(s)
		}
		if len(l.unsettled) >= l.batch {
			l.settleBatch()
		}
	}
	l.settleBatch()
	l.runTasks()
	// Input that arrived before a deadline is read before the timers look.
	if len(events) < poller.MaxEvents-1 || l.postponed == maxPostponed {
		l.postponed = 0
		l.wheel.Advance(l.now/wheel.Tick, l.expire)
	} else {
		l.postponed++
	}
	l.resumeScheduled()
	l.free()
	return nil
}

func (l *Loop) begin() {
	before := l.now
	l.now = l.clock()
	if l.now-before >= int64(yieldEvery) {
		l.yieldAt = l.now + int64(yieldEvery) // it was asleep
	}
	l.watch.cycle.Store(l.now)
	if l.watch.watchdog != nil {
		l.watch.watchdog.Wake()
	}
}

// timeout is how long the next wait may take. It ends the cycle for the counts.
func (l *Loop) timeout() time.Duration {
	// The clock, not now: callbacks may have taken a while.
	now := l.clock()
	busy := time.Duration(now - l.now)
	l.idleSince = now
	l.count.worked(busy)
	l.pace(now, busy)
	if l.hasWork() {
		return 0
	}
	next := l.wheel.Next()
	if next < 0 {
		return poller.Forever
	}
	return time.Duration(max(0, next*wheel.Tick-now))
}

// wait waits in the way that costs less. A goroutine that blocks in the kernel for long loses its
// processor to Go's monitor, which takes several futex calls. Parking takes two more system calls.
func (l *Loop) wait(timeout time.Duration) ([]poller.Event, error) {
	if l.park {
		return l.poller.Park(timeout)
	}
	return l.poller.Wait(timeout)
}

// waited decides how the next wait is done. One for which other goroutines were given work counts
// as long: they need the processor.
func (l *Loop) waited(idle time.Duration, yielded bool) {
	if yielded {
		idle = longWait
	}
	l.idleTime += (min(idle, longWait) - l.idleTime) / 16
	switch {
	case l.idleTime > parkAbove:
		l.park = true
	case l.idleTime < blockBelow:
		l.park = false
	}
}

// pace decides how many connections are settled together, after a cycle that was busy for so long.
func (l *Loop) pace(now int64, busy time.Duration) {
	if busy > quickEvent*time.Duration(l.events+1) {
		l.promptTo = now + int64(promptFor)
	}
	l.batch = maxBatch
	if now < l.promptTo {
		l.batch = 1
	}
}

func (l *Loop) settleBatch() {
	for _, c := range l.unsettled {
		c.settle()
		l.returned(c)
	}
	l.unsettled = slices.Delete(l.unsettled, 0, len(l.unsettled))
}

// resumeScheduled leaves connections that it schedules to the next cycle.
func (l *Loop) resumeScheduled() {
	n := len(l.scheduled)
	for i := range n {
		c := l.scheduled[i]
		c.resume()
		l.returned(c)
	}
	l.scheduled = slices.Delete(l.scheduled, 0, n)
}

// free ends the connections that were closed in this cycle. Their descriptors stay open until here:
// the number of one must not be reused while its events are still to come.
func (l *Loop) free() {
	for i := 0; i < len(l.closed); i++ { // EventClosed may close others
		l.closed[i].free()
		l.returned(l.closed[i])
	}
	l.closed = slices.Delete(l.closed, 0, len(l.closed))
}

func (l *Loop) expire(t *wheel.Timer) {
	switch owner := t.Owner.(type) {
	case *Conn:
		owner.expire(l.now)
	case *Timer:
		owner.expire()
	}
	l.returned(t.Owner)
}

// Discard releases the resources of a loop that will not run. Posted tasks run.
func (r *Reactor) Discard() {
	r.watch.id.Store(watchdog.GoroutineID())
	r.begin()
	r.end()
}

func (l *Loop) endSources() {
	for _, s := range l.table.All() {
		s.end(ErrServerClosed)
	}
	l.free()
}

func (l *Loop) end() {
	l.endSources()
	l.inbox.mu.Lock()
	l.inbox.ended = true
	l.inbox.mu.Unlock()
	for !l.runTasks() { // accepted tasks run: nobody waits for them in vain
	}
	l.endSources() // a connection that was dispatched to this loop may have been among it
	for _, fn := range l.onEnd {
		l.call(fn)
	}
	l.onEnd = nil
	l.publish()
	if err := l.poller.Close(); err != nil {
		l.logger.Error("eddy: close the poller", "error", err)
	}
}

// StopAccepting serves the connections in the kernel's queues, closes the listeners of the loop and
// calls done, which must not block. Call it once. Any goroutine.
func (r *Reactor) StopAccepting(done func()) error {
	return r.PostUnbounded(func() {
		r.onStopped = done
		for _, a := range slices.Clone(r.acceptors) {
			a.drain()
		}
		r.stoppedAccepting(nil)
	})
}

// Drain ends every connection: when its handler of EventShutdown says, or else after grace, idle or
// not. Run returns after the last one. Call it when no loop accepts any more. Any goroutine.
func (r *Reactor) Drain(grace time.Duration) error {
	return r.PostUnbounded(func() {
		r.draining, r.grace = true, grace
		for _, c := range r.Conns() {
			c.shutdown()
		}
	})
}

// Force ends all connections at once, and the loop with them. Any goroutine.
func (r *Reactor) Force() error {
	return r.PostUnbounded(func() {
		r.draining, r.forced = true, true
		for _, s := range r.table.All() {
			s.end(ErrServerClosed)
		}
	})
}
