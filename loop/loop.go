// Package loop has the event loops, their connections, and the interface of protocols. Programs use
// it through package eddy, which has names for the types that a protocol meets, and an Engine that
// makes the loops and gives them sockets; the methods are documented here.
//
// A loop is one goroutine. In each cycle it waits for readiness, reads once from every connection
// that has input and hands it to the connection's Handler, writes pending output, runs posted
// tasks, calls the timers that are due, and frees the connections that have ended. All callbacks
// run there, one at a time, and must not block.
//
// Callbacks see a loop as a Loop: tasks, timers, the clock, outgoing connections. Its engine has a
// Reactor: the same loop, with methods to run, drain and end it.
//
// A connection reads from its socket and writes to it, or to a Transport in its place: layers that
// Conn.AddLayer has put above the socket, or memory (Loop.AdoptTransport).
package loop

import (
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/asynclog"
	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/internal/outbox"
	"github.com/eddynet/eddy/internal/slots"
	"github.com/eddynet/eddy/internal/sockets"
	"github.com/eddynet/eddy/internal/watchdog"
	"github.com/eddynet/eddy/internal/wheel"
	"github.com/eddynet/eddy/poller"
)

// Loop is one reactor, as callbacks see it: timers, tasks, the clock.
type Loop struct {
	poller   poller.Backend
	accept   func(fd int) (conn int, peer sockets.Addr, errno unix.Errno) // sockets.Accept, but in tests
	table    slots.Table[source]
	inbox    inbox
	wheel    *wheel.Wheel
	clock    func() int64 // nanoseconds, monotonic
	now      int64        // the clock at the beginning of this cycle
	logger   *slog.Logger
	limit    *limit
	index    int      // among the engine's loops
	settings Settings // that every connection starts with

	input   []byte          // read into; a callback sees a part of it
	slices  [][]byte        // scratch for gathering output
	outputs outbox.FreeList // queues and buffers of output
	discard buffers.Buffer

	events    int     // of this cycle
	unsettled []*Conn // whose events have been handled
	batch     int     // how many of them are settled together
	promptTo  int64   // until when it is one
	scheduled []*Conn // to resume at the end of this cycle
	closed    []*Conn // to free at the end of this cycle

	acceptors []*acceptor   // that are open
	onStopped func()        // StopAccepting's; nil if it is not waiting
	conns     int           // in the table
	idleSince int64         // when the last cycle was done
	idleTime  time.Duration // a moving average of how long the last waits blocked
	park      bool          // the next wait parks
	yield     bool          // other goroutines are to run before the next wait
	yieldAt   int64         // and also after this time
	draining  bool          // no new connections; the loop ends after the last one
	forced    bool          // new connections are dropped
	grace     time.Duration // of the drain
	postponed int           // cycles in a row that have not looked at the timers
	onEnd     []func()      // see OnEnd

	count     Stats // owned by the loop
	published snapshot
	watch     watch
}

// source handles the events of a registration with the poller.
type source interface {
	ready(r poller.Ready)
	end(cause error) // the loop ends
}

// Index is the loop's number in its engine, from 0. Any goroutine.
func (l *Loop) Index() int { return l.index }

// Now is the time of this cycle in nanoseconds on the monotonic clock of the loop. Loop only.
func (l *Loop) Now() int64 { return l.now }

// Clock is the time now on that clock, in nanoseconds. Any goroutine.
func (l *Loop) Clock() int64 { return l.clock() }

// Yield lets other goroutines run before the loop waits, which may keep its processor for
// milliseconds. Call it after giving work to one. A loop that yields often parks. Loop only.
func (l *Loop) Yield() { l.yield = true }

// Draining reports that the engine shuts down: protocols should end connections soon. Loop only.
func (l *Loop) Draining() bool { return l.draining }

// Conns lists the open connections, a copy. Loop only.
func (l *Loop) Conns() (open []*Conn) {
	for _, s := range l.table.All() {
		if c, ok := s.(*Conn); ok && c.Open() {
			open = append(open, c)
		}
	}
	return open
}

// OnEnd has fn called after the loop's last connection was freed, before Run of the engine returns:
// to release what a protocol has on each loop, such as goroutines. Loop only, as fn is.
func (l *Loop) OnEnd(fn func()) { l.onEnd = append(l.onEnd, fn) }

// Logger is the engine's, which never waits for its output. Any goroutine.
func (l *Loop) Logger() *slog.Logger { return l.logger }

// AsyncLogger returns a logger to the output of log that never waits for it: records use the queue
// of the engine's Logger, which is flushed at the end of Run. An asynclog.Handler keeps its own
// queue, which the program flushes. Call this once for each loop and log. Any goroutine.
func (l *Loop) AsyncLogger(log *slog.Logger) *slog.Logger {
	return slog.New(asynclog.New(l.logger.Handler()).Share(log.Handler()))
}

// watch is shared by a loop and its watchdog, which sets a mark now and then. The loop removes it
// whenever a callback has returned: a mark that stays, while the loop is not waiting, is at most as
// old as its callback. That costs a load after each callback, and a store for each cycle.
type watch struct {
	watchdog *watchdog.Watchdog // nil for none
	mark     atomic.Int64       // when it was set, on the loop's clock; 0 if it is not
	cycle    atomic.Int64       // when the current cycle began; published.cycle is the same once it has ended
	reported atomic.Int64       // the mark that the watchdog has logged a stack for
	id       atomic.Int64       // of Run's goroutine; 0 before

	nextLog   int64 // no log line before this time. Loop only
	nextStack int64 // no stack before this time. Watchdog only
	seen      int64 // cycle when Idle was last called. Watchdog only
}

// returned is called after every callback, with an owner that callee knows.
func (l *Loop) returned(owner any) {
	if l.watch.mark.Load() != 0 {
		l.unmark(owner)
	}
}

// Reactor is a loop as its engine sees it, with methods to run, drain and end it.
type Reactor struct{ *Loop }
