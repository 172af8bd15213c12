package loop

import (
	"reflect"
	"runtime"
	"sync/atomic"
	"time"
)

// slowLogEvery is the least time between two log lines of a loop about the same.
const slowLogEvery = time.Second

// watch is what a loop and its watchdog know of each other. The watchdog sets a mark
// now and then, and the loop removes it whenever a callback has returned: a mark that
// stays, while the loop is out of its wait, is as old as its callback at most. So the
// loop pays for one load after each callback, and a store for each cycle.
type watch struct {
	dog  *Watchdog    // nil for none
	mark atomic.Int64 // when it was set, on the loop's clock; 0 if it is not
	woke atomic.Int64 // when the cycle at hand began; published.cycle is the same once it has ended
	told atomic.Int64 // the mark that the watchdog has logged a stack for
	id   atomic.Int64 // of Run's goroutine; 0 before

	quietTo      int64 // no log line before this time. Loop only
	stackQuietTo int64 // no stack before this time. Watchdog only
	seen         int64 // woke when rests was last asked. Watchdog only
}

// inspect looks whether a callback has been holding the loop for too long, and logs
// the loop's stack if so. Watchdog only.
func (l *Loop) inspect() {
	w := &l.watch
	now := max(l.clock(), 1)
	mark := w.mark.Load()
	if mark == 0 {
		w.mark.Store(now)
		return
	}
	woke := w.woke.Load()
	since := max(woke, mark)
	if now-since < int64(w.dog.slow) || now < w.stackQuietTo || w.told.Load() == mark || l.cycleEnded(woke) {
		return
	}
	stack := stackOf(w.id.Load())
	if w.mark.Load() != mark || w.woke.Load() != woke {
		return // it has returned meanwhile, and the stack may be another's
	}
	w.told.Store(mark)
	w.stackQuietTo = now + int64(slowLogEvery)
	l.logger.Warn("eddy: a callback holds its loop: move what blocks or computes to another goroutine",
		"loop", l.index, "for", time.Duration(now-since), "stack", stack)
}

// cycleEnded says whether the loop waits after the cycle that began at woke.
func (l *Loop) cycleEnded(woke int64) bool {
	l.published.mu.Lock()
	defer l.published.mu.Unlock()
	return l.published.cycle == woke
}

// rests says whether the loop has been waiting since the last call. Watchdog only.
func (l *Loop) rests() bool {
	w := &l.watch
	woke := w.woke.Load()
	same := woke == w.seen
	w.seen = woke
	return same && l.cycleEnded(woke)
}

// returned is called after every callback. what was called is a *Conn, or whatever
// else holder knows.
func (l *Loop) returned(what any) {
	if l.watch.mark.Load() != 0 {
		l.unmark(what)
	}
}

// unmark removes the watchdog's mark, and reports the callback that has just
// returned if it was slow.
func (l *Loop) unmark(what any) {
	w := &l.watch
	mark, now := w.mark.Load(), l.clock()
	w.mark.Store(0)
	held := now - max(mark, l.now)
	if held < int64(w.dog.slow) {
		return
	}
	l.count.SlowCallbacks++
	if now < w.quietTo && w.told.Load() != mark {
		return
	}
	w.quietTo = now + int64(slowLogEvery)
	attributes := append(holder(what), "loop", l.index, "for", time.Duration(held), "count", l.count.SlowCallbacks)
	l.logger.Warn("eddy: a callback has held its loop", attributes...)
}

// holder describes what was called, as attributes of a log line.
func holder(what any) []any {
	switch h := what.(type) {
	case *Conn:
		return []any{"callback", "connection", "remote", h.peer, "protocol", typeName(h.protocol)}
	case *Timer:
		return []any{"callback", "timer", "function", functionName(h.fn)}
	case *dialing:
		return []any{"callback", "dial", "remote", h.address, "protocol", typeName(h.service.protocol)}
	case *Acceptor:
		return []any{"callback", "listener"}
	case task:
		if h.conn != nil {
			return append(holder(h.conn), "function", functionName(h.visit))
		}
		return []any{"callback", "posted", "function", functionName(h.run)}
	}
	return []any{"callback", typeName(what)}
}

func typeName(v any) string { return reflect.TypeOf(v).String() }

// functionName is where a function is to be found in the source.
func functionName(fn any) string {
	v := reflect.ValueOf(fn)
	if v.IsNil() {
		return ""
	}
	return runtime.FuncForPC(v.Pointer()).Name()
}
