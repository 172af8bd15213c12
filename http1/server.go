package http1

import (
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/eddynet/eddy/httpparse"
	"github.com/eddynet/eddy/loop"
)

// Handler answers a request: it writes to w, or arranges for a later answer with
// w.Defer or w.Stream. It runs on the connection's loop and must not block. w and r
// are valid until it returns, or until the answer is complete if that is later.
type Handler func(w *Response, r *Request)

// requestBudget is how many pipelined requests of one connection are answered
// before others get their turn.
const requestBudget = 256

// sessionsKept bounds a loop's free list: memory returns after a spike.
const sessionsKept = 64

// fieldsExpected is the number of fields that most requests keep within.
const fieldsExpected = 16

// Server is HTTP/1.1 as a protocol of an engine: RFC 9112 and RFC 9110. Give the
// one from New to Listen; every loop works with an instance of its own. Its methods
// are for the engine, but for Stats.
type Server struct {
	handler Handler
	options Options
	limits  httpparse.Limits

	instances *instances // shared by all of them

	// Of an instance:
	stamp       stamp
	own         *counts     // where the loop counts: counts.Own
	noKeepAlive atomic.Bool // that of instances; read with every answer
	free        []*session
	counts      *loop.Counts[counts]
}

// instances are those of a Server, one for each loop.
type instances struct {
	mu          sync.Mutex
	of          map[*loop.Loop]*Server // guarded by mu
	noKeepAlive bool                   // guarded by mu: see SetKeepAlivesEnabled
}

var _ interface {
	loop.Protocol
	loop.Lender
	loop.DrainHandler
	loop.TimeoutHandler
	loop.EOFHandler
	loop.HangupHandler
	loop.ShutdownHandler
	loop.Refuser
	loop.Binder
	loop.Tuner
} = (*Server)(nil)

// New returns the protocol that serves h. The error names a field of the options.
func New(h Handler, options Options) (*Server, error) {
	if h == nil {
		return nil, errNoHandler
	}
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Server{
		handler:   h,
		options:   options,
		limits:    options.limits(),
		instances: &instances{of: map[*loop.Loop]*Server{}},
	}, nil
}

// Tune applies the options that the engine acts on.
func (s *Server) Tune(settings *loop.Settings) error {
	s.options.tune(settings)
	return nil
}

// Bind returns the instance for one loop, also if s is an instance itself.
func (s *Server) Bind(l *loop.Loop) loop.Protocol {
	s.instances.mu.Lock()
	defer s.instances.mu.Unlock()
	instance := s.instances.of[l]
	if instance == nil {
		instance = &Server{
			handler:   s.handler,
			options:   s.options,
			limits:    s.limits,
			instances: s.instances,
			stamp:     stamp{name: s.options.ServerName},
			counts:    loop.NewCounts[counts](l),
		}
		instance.own = instance.counts.Own
		instance.noKeepAlive.Store(s.instances.noKeepAlive)
		if log := s.options.AccessLog; log != nil {
			instance.options.AccessLog = l.AsyncLogger(log)
		}
		s.instances.of[l] = instance
	}
	return instance
}

// Refusing returns what answers every request with 503 and Retry-After, and closes.
func (s *Server) Refusing() loop.Protocol {
	o := s.options
	o.OnHead = func(w *Response, _ *Request) {
		w.Busy()
		w.head.Close = true
		w.Finish()
	}
	return &Server{
		handler:   s.handler,
		options:   o,
		limits:    s.limits,
		instances: &instances{of: map[*loop.Loop]*Server{}},
		stamp:     stamp{name: o.ServerName},
		counts:    s.counts,
		own:       s.own,
	}
}

// SetKeepAlivesEnabled says whether connections persist, as they do without a call.
// With false, every answer from now on ends its connection, and says so, and idle
// connections are closed after the engine's Options.DrainGrace. Any goroutine.
func (s *Server) SetKeepAlivesEnabled(enabled bool) {
	s.instances.mu.Lock()
	defer s.instances.mu.Unlock()
	s.instances.noKeepAlive = !enabled
	for l, instance := range s.instances.of {
		instance.noKeepAlive.Store(!enabled)
		if enabled {
			continue
		}
		_ = l.PostAnyway(func() { // a loop that has ended has no connections
			for _, c := range l.Conns(instance) {
				instance.OnShutdown(c)
			}
		})
	}
}

// OnOpen sets the deadline for the first request.
func (s *Server) OnOpen(c *loop.Conn) {
	c.SetDeadline(min(s.options.IdleTimeout, s.options.ReadHeaderTimeout))
	if open := s.options.OnOpen; open != nil {
		c.SetState(open(c))
	}
}

// OnData takes requests, and parts of them.
func (s *Server) OnData(c *loop.Conn, in []byte) int {
	x := s.session(c)
	if x == nil {
		x = s.begin(c)
	}
	used := x.run(in)
	if x.upgrade != nil {
		x.become()
		return used
	}
	s.rest(x, used < len(in))
	return used
}

// InputSpace has a large body put where it is gathered, or where its reader wants it.
func (s *Server) InputSpace(c *loop.Conn) []byte {
	if x := s.session(c); x != nil && x.in == inBody {
		return x.body.readSpace(x)
	}
	return nil
}

// OnFilled takes n bytes of a body.
func (s *Server) OnFilled(c *loop.Conn, n int) {
	x := s.session(c)
	x.filled(n)
	if x.upgrade != nil {
		x.become()
		return
	}
	s.rest(x, false)
}

// OnTimeout is reached when a deadline of the session's state has passed.
func (s *Server) OnTimeout(c *loop.Conn) {
	if x := s.session(c); x != nil {
		x.timedOut()
		return
	}
	s.count().IdleTimeouts++
	c.CloseIdle()
}

// OnDrain is reached when there is room for output again.
func (s *Server) OnDrain(c *loop.Conn) {
	if x := s.session(c); x != nil && x.out == streaming {
		x.stream.ready()
	}
}

// OnEOF is reached when the client has stopped sending, which counts as its
// leaving, though it may still read an answer.
func (s *Server) OnEOF(c *loop.Conn) {
	x := s.session(c)
	if x == nil {
		c.Close()
		return
	}
	x.clientLeft()
	s.rest(x, c.Buffered() > 0)
}

// OnHangup is OnEOF with pipelined requests still unread.
func (s *Server) OnHangup(c *loop.Conn) {
	if x := s.session(c); x != nil {
		x.clientLeft()
	}
}

// OnShutdown keeps an idle connection for a request that may be on its way, with
// which it will end. Others end with the answer in work.
func (s *Server) OnShutdown(c *loop.Conn) {
	if s.session(c) == nil {
		c.SetDeadline(c.Settings().DrainGrace)
	}
}

// OnClose releases the session.
func (s *Server) OnClose(c *loop.Conn, err error) {
	if x := s.session(c); x != nil {
		x.closed(err)
		s.release(x)
	}
	s.connState(c.State(), http.StateClosed)
}

// connState calls Options.ConnState.
func (s *Server) connState(value any, state http.ConnState) {
	if changed := s.options.ConnState; changed != nil {
		changed(value, state)
	}
}

// session is that of the request in work on c, nil if there is none: then the state of c
// is the value of Options.OnOpen.
func (s *Server) session(c *loop.Conn) *session {
	x, _ := c.State().(*session)
	return x
}

// begin gives c a session.
func (s *Server) begin(c *loop.Conn) *session {
	var x *session
	if n := len(s.free); n > 0 {
		x, s.free = s.free[n-1], s.free[:n-1]
	} else {
		x = &session{server: s}
		x.request.session, x.response.session, x.response.request = x, x, &x.request
		x.request.head.Fields = make([]httpparse.Field, 0, fieldsExpected)
	}
	x.conn = c
	x.value = c.State()
	c.SetState(x)
	return x
}

// rest looks where a session stands after its events. Between requests it has
// served its turn, unless there is more input. A client that has stopped sending
// will not complete a request.
func (s *Server) rest(x *session, more bool) {
	done := x.in == between && !more
	switch {
	case !x.conn.Open():
	case x.conn.EOF() && (done || x.in == inHead || x.in == inBody):
		x.conn.Close()
	case done:
		s.release(x)
	}
}

// release takes the session off its connection. While a deferred answer is
// outstanding, another goroutine may be reading the request: then it is left as it
// is, to the garbage collector.
func (s *Server) release(x *session) {
	x.conn.SetState(x.value)
	if x.deferred != nil && !x.deferred.settled {
		x.response.dropOwned()
		return
	}
	if x.in != between { // where it was reset already
		x.reset()
	}
	x.conn, x.value, x.in, x.out, x.depth, x.gone, x.upgrade = nil, nil, between, unanswered, 0, false, nil
	if len(s.free) < sessionsKept {
		s.free = append(s.free, x)
	}
}
