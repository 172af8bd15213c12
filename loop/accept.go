package loop

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/poller"
)

// acceptBudget is how many connections one listener accepts in one cycle.
const acceptBudget = 64

// sharedBudget is the same for a socket that other processes accept from too: whoever
// takes a whole burst of connections keeps it, while they have nothing to do.
const sharedBudget = 1

// inFlight is longer than the kernel takes to queue a connection whose last packet it
// has already let pass.
const inFlight = 100 * time.Microsecond

// shortageLogEvery is the least time between two log lines on the same shortage.
const shortageLogEvery = 10 * time.Second

// Limit bounds the open connections of an engine over all its loops.
type Limit struct {
	served  room
	refused room // for those that are told that there is none
}

// room bounds one kind of connections.
type room struct {
	most  int64
	taken atomic.Int64
}

// NewLimit returns a limit of max open connections that are served, and as many as
// refusals beyond it that are told so.
func NewLimit(max, refusals int) *Limit {
	return &Limit{served: room{most: int64(max)}, refused: room{most: int64(refusals)}}
}

func (r *room) take() bool {
	if r.taken.Add(1) <= r.most {
		return true
	}
	r.taken.Add(-1)
	return false
}

// exceed is take beyond the limit.
func (r *room) exceed() *room {
	r.taken.Add(1)
	return r
}

func (r *room) release() { r.taken.Add(-1) }

// take makes room for a connection, to serve it if possible. It returns nil if there is
// none of either kind.
func (l *Limit) take() *room {
	for _, r := range [...]*room{&l.served, &l.refused} {
		if r.take() {
			return r
		}
	}
	return nil
}

// of is the room of connections with these settings.
func (l *Limit) of(s *Settings) *room {
	if s.refused {
		return &l.refused
	}
	return &l.served
}

// Service is a protocol as one loop serves it for one listener.
type Service struct {
	loop     *Loop
	protocol Protocol
	settings *Settings
	dialled  bool     // its connections are
	refusal  *Service // for connections beyond the limit; nil in a refusal
}

// NewService binds p to the loop. Any goroutine.
func (l *Loop) NewService(p Protocol, s *Settings) (*Service, error) {
	told := *s
	told.refused = true
	refusal := &Service{loop: l, settings: &told, protocol: refusing{}}
	service := &Service{loop: l, settings: s, protocol: unbound{}, refusal: refusal}
	return service, l.post(task{run: func() {
		service.protocol = bind(p, l)
		if r, ok := service.protocol.(Refuser); ok {
			if p := r.Refusing(); p != nil {
				refusal.protocol = p
			}
		}
	}, must: true})
}

// Accept has the loop accept the connections of the listening socket fd, which it
// owns from now on, whatever is returned, and deal them out to the services in turn.
// Any goroutine.
func (l *Loop) Accept(fd int, services []*Service) (*Acceptor, error) {
	return l.begun(&Acceptor{loop: l, fd: fd, services: services})
}

// AcceptShared is Accept for a socket that other processes hold too, as Inherit
// returns it. Its queue is theirs when this acceptor is closed.
func (l *Loop) AcceptShared(fd int, services []*Service) (*Acceptor, error) {
	return l.begun(&Acceptor{loop: l, fd: fd, services: services, shared: true})
}

func (l *Loop) begun(a *Acceptor) (*Acceptor, error) {
	if len(a.services) > 0 {
		boundUnacknowledged(a.fd, a.services[0].settings.WriteTimeout)
	}
	if err := l.post(task{run: a.start, must: true}); err != nil {
		closeFD(a.fd) // the loop has ended
		return nil, err
	}
	return a, nil
}

// Close serves the queue once more and closes the socket. An error says that the loop
// has ended, which has closed it. Any goroutine.
func (a *Acceptor) Close() error { return a.loop.post(task{run: a.drain, must: true}) }

// Acceptor is a listening socket on a loop.
type Acceptor struct {
	loop     *Loop
	fd       int  // -1 when closed
	closing  bool // drain was called
	token    poller.Token
	services []*Service
	shared   bool // with other processes
	tcp      bool
	turn     int
	paused   bool  // until a timer ends it, nothing is accepted
	quietTo  int64 // no log line on a shortage before this time
	accepted uint64
	refusal  error // the last one of a connection

	registered bool // with the poller
}

func (a *Acceptor) start() {
	l := a.loop
	if addr, err := localAddr(a.fd); err == nil {
		a.tcp = addr.Network() == "tcp"
	}
	a.token = l.table.add(a)
	l.acceptors = append(l.acceptors, a)
	a.arm()
}

// arm has the poller report clients. A poller that cannot is asked again: they wait in
// the kernel's queue.
func (a *Acceptor) arm() {
	a.paused = false
	if a.fd >= 0 && !a.watch(poller.Readable) {
		a.loop.After(shortageDelay, a.arm)
	}
}

// watch sets the listener's interest in the poller. After an error the registration is
// made again: its state is unknown.
func (a *Acceptor) watch(i poller.Interest) bool {
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

func (a *Acceptor) end(error) { a.close() }

func (a *Acceptor) close() {
	if a.fd >= 0 {
		if a.shared {
			// What others hold open goes on being polled when this descriptor is closed.
			// ENOENT: start has failed to register it.
			_ = a.loop.poller.Delete(a.fd)
		}
		a.loop.table.remove(a.token)
		closeFD(a.fd)
		a.fd = -1
		a.loop.stoppedAccepting(a)
	}
}

// verdict is what an accept call calls for.
type verdict uint8

const (
	acceptNext verdict = iota // this connection is taken or lost, the next may come
	acceptDone                // the queue is empty
	acceptWait                // nothing can be accepted for a while
)

// judge decides what an error of accept4 means. None ends the engine.
func judge(errno unix.Errno) verdict {
	switch errno {
	case unix.EAGAIN:
		return acceptDone
	case unix.EINTR, unix.ECONNABORTED:
		// A signal; a client that left the queue before its turn.
		return acceptNext
	case unix.EPROTO, unix.ENETDOWN, unix.ENETUNREACH, unix.EHOSTDOWN, unix.EHOSTUNREACH,
		unix.ENOPROTOOPT, unix.EOPNOTSUPP, unix.EPERM:
		// Errors of the new connection's network, or a firewall's word: accept(2)
		// says to go on as after EAGAIN, and the connection is off the queue.
		return acceptNext
	}
	// EMFILE, ENFILE, ENOBUFS, ENOMEM: short of descriptors or memory; the queue
	// stays as it is. Whatever else there may be is not to be met by spinning.
	return acceptWait
}

// ready accepts until the queue is empty, within the budget: what is left makes
// the listener ready in the next cycle too.
func (a *Acceptor) ready(poller.Ready) {
	if a.paused {
		return // the poller goes on reporting: watch has failed
	}
	before := a.accepted
	for range acceptBudget {
		if a.acceptOne() != acceptNext || a.shared && a.accepted-before == sharedBudget {
			return
		}
	}
	if a.accepted == before {
		// A security policy may refuse connections without taking them off the queue.
		a.disarm("the system refuses every connection", a.refusal)
	}
}

func (a *Acceptor) acceptOne() verdict {
	l := a.loop
	place := l.limit.take()
	if place == nil && a.closing {
		// Who waits would be reset by closing the listener. The queue is the bound.
		place = l.limit.served.exceed()
	}
	if place == nil {
		l.count.LimitPauses++
		a.disarm("the limit of open connections is reached: raise Options.MaxConns", nil)
		return acceptWait
	}
	if a.shared {
		if err := keepNonblocking(a.fd); err != nil {
			a.warn("eddy: make a listener non-blocking", err)
		}
	}
	fd, peer, errno := l.calls.accept(a.fd)
	if errno == 0 {
		a.accepted++
		a.deal(fd, peer, place)
		if a.paused {
			return acceptWait
		}
		return acceptNext
	}
	place.release()
	a.refusal = errno
	v := judge(errno)
	if errno != unix.EAGAIN && errno != unix.EINTR {
		l.count.AcceptErrors++
	}
	if v == acceptWait {
		a.disarm(shortage(errno), errno)
	}
	return v
}

// deal gives the connection to the service whose turn it is, or the next one whose loop
// has not ended.
func (a *Acceptor) deal(fd int, peer endpoint, place *room) {
	refuse := place == &a.loop.limit.refused
	if refuse {
		a.loop.count.Refused++
	}
	for range a.services {
		s := a.services[a.turn]
		a.turn = (a.turn + 1) % len(a.services)
		if refuse {
			s = s.refusal
		}
		if s.loop == a.loop {
			a.open(fd, peer, s)
			return
		}
		if s.loop.post(task{run: func() { a.open(fd, peer, s) }, must: true}) == nil {
			return
		}
	}
	closeFD(fd)
	place.release()
	a.loop.count.Dropped++
}

// open opens the connection on the loop of s. A poller that is short of watches has
// accepting paused.
func (a *Acceptor) open(fd int, peer endpoint, s *Service) {
	c := s.loop.open(fd, peer, s)
	if c == nil || !c.is(watchBackoff) {
		return
	}
	pause := func() {
		a.disarm("the poller takes no more connections: raise fs.epoll.max_user_watches or lower Options.MaxConns", nil)
	}
	if s.loop == a.loop {
		pause()
		return
	}
	_ = a.loop.post(task{run: pause, must: true}) // an error reports that the loop has ended
}

// disarm stops accepting for a while, in which clients wait in the kernel's queue.
func (a *Acceptor) disarm(why string, err error) {
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

// warn writes a log line, if there was none for a while.
func (a *Acceptor) warn(message string, err error) {
	if l := a.loop; l.now >= a.quietTo {
		a.quietTo = l.now + int64(shortageLogEvery)
		l.logger.Warn(message, errorAttr(err))
	}
}

// drain serves the connections queued in the kernel, and closes the listener: a little
// later where clients that are about to join the queue can be held off.
func (a *Acceptor) drain() {
	if a.fd < 0 || a.closing {
		return
	}
	a.closing = true
	if a.tcp && !a.shared && holdOff(a.fd) {
		a.acceptAll()
		a.loop.After(inFlight, a.finish)
		return
	}
	a.finish()
}

// finish closes the listener when its queue is served. Short of descriptors it waits for
// connections to end, which make room.
func (a *Acceptor) finish() {
	a.acceptAll()
	if a.fd >= 0 && a.paused && queued(a.fd) {
		a.loop.After(shortageDelay, a.finish)
		return
	}
	a.close()
}

// acceptAll accepts until the queue is empty. A system that goes on refusing may not
// take anything off it.
func (a *Acceptor) acceptAll() {
	a.paused = false // a drain does not wait for the end of a pause
	for refused := 0; a.fd >= 0 && refused < acceptBudget; refused++ {
		before := a.accepted
		if a.acceptOne() != acceptNext {
			return
		}
		if a.accepted > before {
			refused = 0
		}
	}
}

func shortage(errno unix.Errno) string {
	switch errno {
	case unix.EMFILE:
		return "no file descriptor left: raise ulimit -n or lower Options.MaxConns"
	case unix.ENFILE:
		return "the system's file table is full: raise fs.file-max or lower Options.MaxConns"
	}
	return "the kernel refuses for now"
}
