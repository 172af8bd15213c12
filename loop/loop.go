package loop

import (
	"log/slog"
	"runtime"
	"time"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/poller"
)

// inputSize is the size in bytes of the one buffer that all connections of a loop
// read into, and so the most that one connection is read in one cycle.
const inputSize = 64 << 10

// maxPostponed bounds how long a flood of events may hold up the timers, in cycles.
const maxPostponed = 64

// yieldEvery is how long a loop runs without a word to Go's scheduler. After 10 ms that
// would stop it by force, and then look for others to stop every 20 microseconds, which
// takes two to twenty per cent of a processor.
const yieldEvery = 5 * time.Millisecond

const (
	// maxBatch is how many connections are read and served before their output is
	// written. With hundreds of active ones, several writes in a row cost two to three
	// per cent less of a small request than each write behind its read.
	maxBatch = 16
	// quickEvent is how long an event may take, on the average of a cycle. If it takes
	// longer, output is not held up like that for promptFor.
	quickEvent = 20 * time.Microsecond
	promptFor  = 10 * time.Millisecond
)

// Loop is one reactor: a goroutine that owns a poller, the
// connections registered with it, and their timers. Each method says whether it may
// be called from elsewhere.
type Loop struct {
	poller readiness
	calls  calls
	table  table
	inbox  inbox
	wheel  *wheel
	clock  func() int64 // nanoseconds, monotonic
	now    int64        // the clock at the beginning of this cycle
	logger *slog.Logger
	limit  *Limit
	index  int // among the engine's loops
	// settings are those of connections that are dialled.
	settings *Settings

	input   []byte           // read into; a callback sees a part of it
	slices  [][]byte         // scratch for gathering output
	outputs buffers.FreeList // queues and buffers of output
	discard buffers.Buffer

	events    int     // of this cycle
	current   *Conn   // its event is being handled; it is settled afterwards
	unsettled []*Conn // whose events have been handled
	batch     int     // how many of them are settled together
	promptTo  int64   // until when it is one
	attention []*Conn // to settle at the end of this cycle
	attending []*Conn // the list before, being worked off
	closed    []*Conn // to free at the end of this cycle

	acceptors []*Acceptor   // that are open
	onStopped func()        // StopAccepting's; nil if it is not waiting
	conns     int           // in the table
	yield     bool          // other goroutines are to run before the next wait
	yieldAt   int64         // and also after this time
	draining  bool          // no new connections; the loop ends after the last one
	forced    bool          // what comes now is dropped
	grace     time.Duration // of the drain
	postponed int           // cycles in a row that have not looked at the timers
	onEnd     []func()      // see OnEnd

	count     Stats // owned by the loop
	published snapshot
	watch     watch
}

// Config is what a Loop needs from its engine.
type Config struct {
	Logger   *slog.Logger // the engine's does not block: see package asynclog
	Limit    *Limit       // shared by the engine's loops
	Settings *Settings    // of connections that are dialled
	Clock    func() int64 // nanoseconds on a monotonic clock; nil is the system's
	Index    int          // among the engine's loops: log lines have it
	Watchdog *Watchdog    // of the engine; nil for none
}

// New returns a loop that does not run yet.
func New(cfg Config) (*Loop, error) {
	p, err := poller.Open()
	if err != nil {
		return nil, err
	}
	clock := cfg.Clock
	if clock == nil {
		clock = sinceStart
	}
	l := &Loop{
		poller:   p,
		calls:    systemCalls(),
		clock:    clock,
		now:      clock(),
		logger:   cfg.Logger,
		limit:    cfg.Limit,
		index:    cfg.Index,
		settings: cfg.Settings,
		input:    make([]byte, inputSize),
		slices:   make([][]byte, 0, maxSlices),
		batch:    maxBatch,
	}
	l.wheel = newWheel(l.now / tickNanos)
	l.watch.dog = cfg.Watchdog
	l.begin()
	l.publish() // it is at rest
	return l, nil
}

var start = time.Now()

// sinceStart reads only the monotonic clock: half the cost of time.Now.
func sinceStart() int64 { return int64(time.Since(start)) }

// Run runs the loop on the calling goroutine until Drain or Force has been called
// and the last connection is gone. It does not return if a callback calls
// runtime.Goexit, but ends the loop all the same.
func (l *Loop) Run() error {
	returned := false
	defer func() {
		if !returned {
			_ = l.Panicked(ErrGoexit) // nobody to close: all are
		}
		l.end()
	}()
	l.watch.id.Store(goroutineID())
	l.begin()
	var err error
	for err == nil && !l.drained() {
		err = l.cycle()
	}
	returned = true
	return err
}

// drained reports whether a drain has nothing left to do.
func (l *Loop) drained() bool {
	return l.draining && l.conns == 0 && len(l.acceptors) == 0 && !l.inbox.pending()
}

// cycle is the reactor: everything that happens on a loop happens in here, in
// this order.
func (l *Loop) cycle() error {
	if l.yield || l.now >= l.yieldAt {
		l.yield = false
		l.yieldAt = l.now + int64(yieldEvery)
		l.publish() // to them
		runtime.Gosched()
	}
	timeout := l.timeout()
	l.publish()
	if timeout != 0 && !l.inbox.rest() {
		timeout = 0
	}
	events, err := l.poller.Wait(timeout)
	l.events = len(events)
	l.inbox.rise()
	if err != nil {
		return err
	}
	l.begin()
	for _, event := range events {
		if s := l.table.lookup(event.Token); s != nil {
			s.ready(event.Ready)
			l.returned(s)
		}
		if len(l.unsettled) >= l.batch {
			l.settle()
		}
	}
	l.settle()
	l.drainInbox()
	// Input that came before a deadline is read before the timers look, even if it
	// was not among the first events.
	if len(events) < poller.MaxEvents-1 || l.postponed == maxPostponed {
		l.postponed = 0
		l.wheel.advance(l.now/tickNanos, l.expireTimer)
	} else {
		l.postponed++
	}
	l.attend()
	l.free()
	return nil
}

// begin starts a cycle for those who ask for the time.
func (l *Loop) begin() {
	before := l.now
	l.now = l.clock()
	if l.now-before >= int64(yieldEvery) {
		l.yieldAt = l.now + int64(yieldEvery) // it was asleep
	}
	l.watch.woke.Store(l.now)
	if l.watch.dog != nil {
		l.watch.dog.wake()
	}
}

// timeout is how long the next wait may take. It ends the cycle for the counts.
func (l *Loop) timeout() time.Duration {
	// The clock, not now: callbacks may have held the loop for a while.
	now := l.clock()
	busy := time.Duration(now - l.now)
	l.count.worked(busy)
	l.pace(now, busy)
	if len(l.attention) > 0 || len(l.closed) > 0 || l.inbox.pending() {
		return 0
	}
	next := l.wheel.next()
	if next < 0 {
		return poller.Forever
	}
	return time.Duration(max(0, next*tickNanos-now))
}

// pace settles how many connections are settled together, after a cycle that has taken
// busy.
func (l *Loop) pace(now int64, busy time.Duration) {
	if busy > quickEvent*time.Duration(l.events+1) {
		l.promptTo = now + int64(promptFor)
	}
	l.batch = maxBatch
	if now < l.promptTo {
		l.batch = 1
	}
}

// settle settles those whose events have been handled.
func (l *Loop) settle() {
	for _, c := range l.unsettled {
		c.settle()
		l.returned(c)
	}
	clear(l.unsettled)
	l.unsettled = l.unsettled[:0]
}

// attend settles the connections that were written to, resumed or closed outside
// their own event. What this brings about is attended to in the next cycle.
func (l *Loop) attend() {
	if len(l.attention) == 0 {
		return
	}
	l.attending, l.attention = l.attention, l.attending[:0]
	for _, c := range l.attending {
		c.flags &^= needsAttention
		if c.flags&redeliver != 0 {
			c.redeliver()
		}
		c.settle()
		l.returned(c)
	}
	clear(l.attending)
}

// free ends the connections that were closed in this cycle. Their descriptors
// stay open until here, so that none is reused while events of the cycle that
// carry its number are still to come.
func (l *Loop) free() {
	for i := 0; i < len(l.closed); i++ { // OnClose may close others
		l.closed[i].free()
		l.returned(l.closed[i])
	}
	clear(l.closed)
	l.closed = l.closed[:0]
}

func (l *Loop) expireTimer(t *timer) {
	t.owner.expire(l.now)
	l.returned(t.owner)
}

// Now is the time of this cycle in nanoseconds on the loop's monotonic clock.
// Loop only.
func (l *Loop) Now() int64 { return l.now }

// Yield lets other goroutines run before the loop waits again. Call it after giving
// work to one: a loop that blocks in the kernel keeps its processor until Go's
// scheduler takes it away, which may take milliseconds. Loop only.
func (l *Loop) Yield() { l.yield = true }

// Clock is the time now in nanoseconds on the loop's monotonic clock. Any goroutine.
func (l *Loop) Clock() int64 { return l.clock() }

// Draining says that the engine is shutting down: protocols should end their
// connections at the next opportunity. Loop only.
func (l *Loop) Draining() bool { return l.draining }

// Post runs fn on the loop, after what was posted before it. It returns
// ErrServerClosed when the loop has ended, ErrInboxFull when it does not keep up with
// what is posted, and fn will not run. Any goroutine.
func (l *Loop) Post(fn func()) error {
	return l.post(task{run: fn})
}

// PostAnyway is Post without a bound, for tasks that are bounded by other means, such
// as one for each request in work. Any goroutine.
func (l *Loop) PostAnyway(fn func()) error {
	return l.post(task{run: fn, must: true})
}

// Discard releases what a loop holds that will not run. Posted tasks run.
func (l *Loop) Discard() {
	l.watch.id.Store(goroutineID())
	l.begin()
	l.end()
}

func (l *Loop) endSources() {
	for _, s := range l.table.sources() {
		s.end(ErrServerClosed)
	}
	l.free()
}

// end releases what the loop holds, after its last cycle.
func (l *Loop) end() {
	l.endSources()
	l.inbox.close()
	for !l.drainInbox() { // what was accepted is run: nothing waits for it in vain
	}
	l.endSources() // a connection that was dealt to this loop may have been among it
	l.callOnEnd()
	l.publish()
	if err := l.poller.Close(); err != nil {
		l.logger.Error("eddy: close the poller", "error", err)
	}
}
