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

// shortageLogEvery is the least time between two log lines on the same shortage.
const shortageLogEvery = 10 * time.Second

// Limit bounds the open connections of an engine over all its loops.
type Limit struct {
	max  int64
	open atomic.Int64
}

// NewLimit returns a limit of max open connections.
func NewLimit(max int) *Limit { return &Limit{max: int64(max)} }

func (l *Limit) take() bool {
	if l.open.Add(1) <= l.max {
		return true
	}
	l.open.Add(-1)
	return false
}

func (l *Limit) release() { l.open.Add(-1) }

// Service is a protocol as one loop serves it for one listener.
type Service struct {
	loop     *Loop
	protocol Protocol
	settings *Settings
	dialled  bool // its connections are
}

// NewService binds p to the loop. Any goroutine.
func (l *Loop) NewService(p Protocol, s *Settings) (*Service, error) {
	service := &Service{loop: l, settings: s, protocol: unbound{}}
	return service, l.Post(func() { service.protocol = bind(p, l) })
}

// Accept has the loop accept the connections of the listening socket fd, which it
// owns from now on, and deal them out to the services in turn. Any goroutine.
func (l *Loop) Accept(fd int, services []*Service) (*Acceptor, error) {
	a := &Acceptor{loop: l, fd: fd, services: services}
	return a, l.Post(a.start)
}

// AcceptShared is Accept for a socket that other processes hold too, as Inherit
// returns it. Its queue is theirs when this acceptor is closed.
func (l *Loop) AcceptShared(fd int, services []*Service) (*Acceptor, error) {
	a := &Acceptor{loop: l, fd: fd, services: services, shared: true}
	return a, l.Post(a.start)
}

// Close serves the queue once more and closes the socket. Any goroutine.
func (a *Acceptor) Close() error { return a.loop.Post(a.drain) }

// Acceptor is a listening socket on a loop.
type Acceptor struct {
	loop     *Loop
	fd       int // -1 when closed
	token    poller.Token
	services []*Service
	shared   bool // with other processes
	tcp      bool
	turn     int
	quietTo  int64 // no log line on a shortage before this time
	accepted uint64
	refusal  error // the last one of a connection
}

func (a *Acceptor) start() {
	l := a.loop
	if addr, err := localAddr(a.fd); err == nil {
		a.tcp = addr.Network() == "tcp"
	}
	a.token = l.table.add(a)
	l.acceptors = append(l.acceptors, a)
	if err := l.poller.Add(a.fd, a.token, poller.Readable); err != nil {
		l.logger.Error("eddy: register a listener", "error", err)
		a.close()
	}
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
	if !l.limit.take() {
		l.count.LimitPauses++
		a.disarm("the limit of open connections is reached: raise Options.MaxConns", nil)
		return acceptWait
	}
	if a.shared {
		if err := keepNonblocking(a.fd); err != nil {
			l.logger.Error("eddy: make a listener non-blocking", "error", err)
		}
	}
	fd, peer, errno := accept(a.fd)
	if errno == 0 {
		a.accepted++
		a.deal(fd, peer)
		return acceptNext
	}
	l.limit.release()
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

// deal gives the connection to the service whose turn it is.
func (a *Acceptor) deal(fd int, peer endpoint) {
	s := a.services[a.turn]
	a.turn = (a.turn + 1) % len(a.services)
	if s.loop == a.loop {
		s.loop.open(fd, peer, s)
		return
	}
	if err := s.loop.Post(func() { s.loop.open(fd, peer, s) }); err != nil {
		closeFD(fd)
		a.loop.limit.release()
		a.loop.count.Dropped++
	}
}

// disarm stops accepting for a while, in which clients wait in the kernel's queue.
func (a *Acceptor) disarm(why string, err error) {
	l := a.loop
	l.count.AcceptPauses++
	if l.now >= a.quietTo {
		a.quietTo = l.now + int64(shortageLogEvery)
		l.logger.Warn("eddy: not accepting connections: "+why, "error", err)
	}
	a.setInterest(0)
	l.After(shortageDelay, func() { a.setInterest(poller.Readable) })
}

func (a *Acceptor) setInterest(i poller.Interest) {
	if a.fd < 0 {
		return
	}
	if err := a.loop.poller.Set(a.fd, a.token, i); err != nil {
		a.loop.logger.Error("eddy: change a listener's interest", "error", err)
	}
}

// drain serves what has queued up in the kernel, and closes the listener.
func (a *Acceptor) drain() {
	a.acceptAll()
	if a.fd >= 0 && a.tcp && !a.shared {
		holdOff(a.fd)
		a.acceptAll()
	}
	a.close()
}

func (a *Acceptor) acceptAll() {
	for a.fd >= 0 && a.acceptOne() == acceptNext {
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
