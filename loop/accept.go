package loop

import (
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
	"github.com/eddynet/eddy/poller"
)

const (
	// acceptBudget is how many connections one listener accepts in one cycle.
	acceptBudget = 64
	// sharedBudget is for a shared socket: whoever accepts a burst keeps it, while others are idle.
	sharedBudget = 1
	// handshakeTime is longer than a connection takes into the queue after its last packet.
	handshakeTime = 100 * time.Microsecond
	// shortageLogEvery is the least time between two log lines on the same shortage.
	shortageLogEvery = 10 * time.Second
)

// limit bounds the open connections of an engine over all its loops.
type limit struct {
	served  quota
	refused quota // for connections that are opened to be refused
}

type quota struct {
	max  int64
	used atomic.Int64
}

func newLimit(max, refusals int) *limit {
	return &limit{served: quota{max: int64(max)}, refused: quota{max: int64(refusals)}}
}

func (q *quota) acquire() bool {
	if q.used.Add(1) <= q.max {
		return true
	}
	q.used.Add(-1)
	return false
}

func (q *quota) release() { q.used.Add(-1) }

// acquire makes room for a connection, if possible one that is served; nil if there is none.
func (l *limit) acquire() *quota {
	switch {
	case l.served.acquire():
		return &l.served
	case l.refused.acquire():
		return &l.refused
	}
	return nil
}

func (l *limit) quotaOf(c *Conn) *quota {
	if c.is(overloaded) {
		return &l.refused
	}
	return &l.served
}

// Accept makes the loop accept connections of the listening socket fd, which it owns from now on,
// whatever is returned, and dispatch them to the loops in turn. p opens them. Other processes hold
// a shared socket too: its queue is theirs when this loop stops. stop serves the queue once more
// and closes the socket; after an error the loop had ended, and closed it. Any goroutine.
func (r *Reactor) Accept(fd int, to []*Reactor, p Protocol, shared bool) (stop func() error, err error) {
	a := &acceptor{loop: r.Loop, fd: fd, to: to, protocol: p, shared: shared}
	sockets.BoundUnacknowledged(fd, r.settings.WriteTimeout)
	if err := r.PostUnbounded(a.start); err != nil {
		sockets.Close(fd) // the loop has ended
		return nil, err
	}
	return func() error { return r.PostUnbounded(a.drain) }, nil
}

// acceptor is a listening socket on a loop.
type acceptor struct {
	loop     *Loop
	fd       int  // -1 when closed
	draining bool // drain was called
	token    poller.Token
	protocol Protocol
	to       []*Reactor // that connections are dispatched to
	shared   bool       // with other processes
	turn     int
	paused   bool  // until a timer ends it, nothing is accepted
	nextLog  int64 // no log line on a shortage before this time
	accepted uint64
	refusal  error // the last one of a connection

	registered bool // with the poller
}

func (a *acceptor) start() {
	l := a.loop
	a.token = l.table.Add(a)
	l.acceptors = append(l.acceptors, a)
	a.arm()
}

// arm makes the poller report clients. They wait in the queue of the kernel while it cannot.
func (a *acceptor) arm() {
	a.paused = false
	if a.fd >= 0 && !a.watch(poller.Readable) {
		a.loop.After(shortageDelay, a.arm)
	}
}

// watch sets the interest. After an error the registration is unknown: it is made again.
func (a *acceptor) watch(i poller.Interest) bool {
	register := a.loop.poller.Set
	if !a.registered {
		register = a.loop.poller.Add
	}
	err := register(a.fd, a.token, i)
	a.registered = err == nil
	if err != nil {
		a.warn("eddy: register a listener", err)
		_ = a.loop.poller.Delete(a.fd) // ENOENT: there is none
	}
	return a.registered
}

func (a *acceptor) end(error) {
	if a.fd >= 0 {
		if a.shared {
			// The poller goes on reporting a socket that other processes hold open.
			_ = a.loop.poller.Delete(a.fd) // ENOENT: start has failed to register it
		}
		a.loop.table.Remove(a.token)
		sockets.Close(a.fd)
		a.fd = -1
		a.loop.stoppedAccepting(a)
	}
}

// ready accepts within the budget: if clients are left, the next cycle has the event again.
func (a *acceptor) ready(poller.Ready) {
	if a.paused {
		return // the poller goes on reporting: watch has failed
	}
	before := a.accepted
	for range acceptBudget {
		if a.acceptOne() != sockets.AcceptNext || a.shared && a.accepted-before == sharedBudget {
			return
		}
	}
	if a.accepted == before {
		// A security policy may refuse connections without taking them off the queue.
		a.disarm("the system refuses every connection", a.refusal)
	}
}

func (a *acceptor) acceptOne() sockets.AcceptResult {
	l := a.loop
	place := l.limit.acquire()
	if place == nil && a.draining {
		// Waiting clients would be reset when the listener closes. The queue is the bound.
		place = &l.limit.served
		place.used.Add(1)
	}
	if place == nil {
		l.count.LimitPauses++
		a.disarm("the limit of open connections is reached: raise Options.MaxConns", nil)
		return sockets.AcceptWait
	}
	if a.shared {
		if err := sockets.KeepNonblocking(a.fd); err != nil {
			a.warn("eddy: make a listener non-blocking", err)
		}
	}
	fd, peer, errno := l.accept(a.fd)
	if errno == 0 {
		a.accepted++
		a.dispatch(fd, peer, place)
		if a.paused {
			return sockets.AcceptWait
		}
		return sockets.AcceptNext
	}
	place.release()
	a.refusal = errno
	result := sockets.ClassifyAccept(errno)
	if errno != unix.EAGAIN && errno != unix.EINTR {
		l.count.AcceptErrors++
	}
	if result == sockets.AcceptWait {
		a.disarm(sockets.Shortage(errno), errno)
	}
	return result
}

func (a *acceptor) dispatch(fd int, peer sockets.Addr, place *quota) {
	mark := flags(0)
	if place == &a.loop.limit.refused {
		mark = overloaded
		a.loop.count.Refused++
	}
	for range a.to {
		l := a.to[a.turn].Loop
		a.turn = (a.turn + 1) % len(a.to)
		if l == a.loop {
			a.open(l, fd, peer, mark)
			return
		}
		if l.PostUnbounded(func() { a.open(l, fd, peer, mark) }) == nil {
			return
		}
	}
	sockets.Close(fd)
	place.release()
	a.loop.count.Dropped++
}

// open runs on l. If its poller is short of watches, accepting pauses.
func (a *acceptor) open(l *Loop, fd int, peer sockets.Addr, mark flags) {
	c := l.newConn(fd, peer)
	c.flags |= mark
	if !l.open(c, a.protocol, &l.count.Accepted) || !c.is(watchBackoff) {
		return
	}
	pause := func() {
		a.disarm("the poller takes no more connections: raise fs.epoll.max_user_watches or lower Options.MaxConns", nil)
	}
	if l == a.loop {
		pause()
		return
	}
	_ = a.loop.PostUnbounded(pause) // an error reports that the loop has ended
}

// disarm stops accepting for a while. Clients wait in the queue of the kernel.
func (a *acceptor) disarm(why string, err error) {
	if a.paused {
		return
	}
	a.loop.count.AcceptPauses++
	a.warn("eddy: not accepting connections: "+why, err)
	a.paused = true
	if a.registered {
		a.watch(0)
	}
	a.loop.After(shortageDelay, a.arm)
}

func (a *acceptor) warn(message string, err error) {
	l := a.loop
	if l.now < a.nextLog {
		return
	}
	a.nextLog = l.now + int64(shortageLogEvery)
	if err == nil {
		l.logger.Warn(message)
	} else {
		l.logger.Warn(message, "error", err)
	}
}

// drain serves the queue and closes the listener: a little later where clients can be kept out.
func (a *acceptor) drain() {
	if a.fd < 0 || a.draining {
		return
	}
	a.draining = true
	addr, err := sockets.LocalAddr(a.fd)
	if err == nil && addr.Network() == "tcp" && !a.shared && sockets.HoldOff(a.fd) {
		a.acceptAll()
		a.loop.After(handshakeTime, a.finish)
		return
	}
	a.finish()
}

// finish closes the listener when its queue is served, for which it waits for descriptors.
func (a *acceptor) finish() {
	a.acceptAll()
	if a.fd >= 0 && a.paused && sockets.HasClients(a.fd) {
		a.loop.After(shortageDelay, a.finish)
		return
	}
	a.end(nil)
}

// acceptAll empties the queue, unless the system refuses connections and leaves them there.
func (a *acceptor) acceptAll() {
	a.paused = false // a drain does not wait for the end of a pause
	for refused := 0; a.fd >= 0 && refused < acceptBudget; refused++ {
		before := a.accepted
		if a.acceptOne() != sockets.AcceptNext {
			return
		}
		if a.accepted > before {
			refused = 0
		}
	}
}

func (l *Loop) stoppedAccepting(a *acceptor) {
	l.acceptors = slices.DeleteFunc(l.acceptors, func(other *acceptor) bool { return other == a })
	if len(l.acceptors) == 0 && l.onStopped != nil {
		l.onStopped()
		l.onStopped = nil
	}
}
