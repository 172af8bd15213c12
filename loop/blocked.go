package loop

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"time"

	"github.com/eddynet/eddy/internal/watchdog"
)

// slowLogEvery is the least time between two log lines of a loop about slow callbacks.
const slowLogEvery = time.Second

var _ watchdog.Loop = (*Reactor)(nil)

// Inspect logs the stack of a loop that a callback blocks. Watchdog only.
func (r *Reactor) Inspect() {
	l, w := r.Loop, &r.watch
	now := max(l.clock(), 1)
	mark := w.mark.Load()
	if mark == 0 {
		w.mark.Store(now)
		return
	}
	cycle := w.cycle.Load()
	since := max(cycle, mark)
	if now-since < int64(w.watchdog.Slow()) || now < w.nextStack || w.reported.Load() == mark || l.cycleEnded(cycle) {
		return
	}
	stack := watchdog.Stack(w.id.Load())
	if w.mark.Load() != mark || w.cycle.Load() != cycle {
		return // it has returned meanwhile, and the stack may be another's
	}
	w.reported.Store(mark)
	w.nextStack = now + int64(slowLogEvery)
	l.logger.Warn("eddy: a callback blocks the event loop: move blocking or long work to another goroutine",
		"loop", l.index, "for", time.Duration(now-since), "stack", stack)
}

// cycleEnded reports whether the loop waits after the cycle that began at that time.
func (l *Loop) cycleEnded(began int64) bool {
	l.published.mu.Lock()
	defer l.published.mu.Unlock()
	return l.published.cycle == began
}

// Idle reports whether the loop has been waiting since the last call. Watchdog only.
func (r *Reactor) Idle() bool {
	w := &r.watch
	cycle := w.cycle.Load()
	same := cycle == w.seen
	w.seen = cycle
	return same && r.cycleEnded(cycle)
}

// unmark removes the mark of the watchdog, and reports the callback that was slow.
func (l *Loop) unmark(owner any) {
	w := &l.watch
	mark, now := w.mark.Load(), l.clock()
	w.mark.Store(0)
	took := now - max(mark, l.now)
	if took < int64(w.watchdog.Slow()) {
		return
	}
	l.count.SlowCallbacks++
	if now < w.nextLog && w.reported.Load() != mark {
		return
	}
	w.nextLog = now + int64(slowLogEvery)
	attributes := append(callee(owner), "loop", l.index, "for", time.Duration(took), "count", l.count.SlowCallbacks)
	l.logger.Warn("eddy: a callback has blocked the event loop", attributes...)
}

// callee describes the callback, as attributes of a log line.
func callee(owner any) []any {
	switch o := owner.(type) {
	case *Conn:
		return []any{"callback", "connection", "remote", o.peer, "handler", fmt.Sprintf("%T", o.handler)}
	case *Timer:
		return []any{"callback", "timer", "function", functionName(o.fn)}
	case *dialing:
		return []any{"callback", "dial", "remote", o.address, "protocol", functionName(o.protocol)}
	case *acceptor:
		return []any{"callback", "listener"}
	case task:
		if o.conn != nil {
			return append(callee(o.conn), "function", functionName(o.visit))
		}
		return []any{"callback", "posted", "function", functionName(o.run)}
	}
	return []any{"callback", fmt.Sprintf("%T", owner)}
}

func functionName(fn any) string {
	v := reflect.ValueOf(fn)
	if v.IsNil() {
		return ""
	}
	return runtime.FuncForPC(v.Pointer()).Name()
}

// BlockedError reports a loop that did not end in time: a callback blocks or computes, as a rule.
type BlockedError struct {
	Loop  int           // the loop's number in its engine, from 0
	For   time.Duration // since the loop's cycle began
	Stack string        // of the loop, as the runtime prints it, or why there is none
}

// Error names the functions that the loop is in, innermost first.
func (e *BlockedError) Error() string {
	took, names := e.For.Round(time.Millisecond), watchdog.Functions(e.Stack, "github.com/eddynet/eddy/loop.")
	if len(names) == 0 {
		return fmt.Sprintf("eddy: loop %d has not ended: it has been busy for %v", e.Loop, took)
	}
	return fmt.Sprintf("eddy: loop %d has been blocked for %v by %s: move blocking or long work to another goroutine",
		e.Loop, took, strings.Join(names, " < "))
}

// Blocked describes the current callback, with its stack. Any goroutine.
func (r *Reactor) Blocked() *BlockedError {
	return &BlockedError{
		Loop:  r.index,
		For:   time.Duration(r.clock() - r.watch.cycle.Load()),
		Stack: watchdog.Stack(r.watch.id.Load()),
	}
}
