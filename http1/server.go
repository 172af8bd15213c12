package http1

import (
	"net/http"
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

// Server is HTTP/1.1 as a protocol of an engine: RFC 9112 and RFC 9110. Give its Open to
// Engine.Listen. Any goroutine, but for Open.
type Server struct {
	handler     Handler
	options     Options
	limits      httpparse.Limits
	noKeepAlive atomic.Bool // see SetKeepAlivesEnabled
	instances   loop.PerLoop[*instance]
}

// instance is a Server on one loop: the Handler of its connections there. Every request
// needs most of its fields, so it has copies of the server's.
type instance struct {
	handler     Handler
	limits      httpparse.Limits
	stamp       stamp
	own         *counts // where the loop counts: counts.Own
	noKeepAlive atomic.Bool
	free        []*session
	options     Options // AccessLog is the loop's
	settings    loop.Settings
	counts      *loop.Counts[counts]
	refusal     *instance // for connections beyond the limit; nil in a refusal
}

var _ loop.BufferSupplier = (*instance)(nil)

// New returns the protocol that serves h. The error names a field of the options.
func New(h Handler, options Options) (*Server, error) {
	if h == nil {
		return nil, errNoHandler
	}
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Server{handler: h, options: options, limits: options.limits()}, nil
}

// Open opens a connection: it is the server's loop.Protocol. Loop only.
func (s *Server) Open(c *loop.Conn) loop.Handler {
	i := s.instances.Get(c.Loop(), func() *instance { return s.newInstance(c) })
	if c.Overloaded() {
		i = i.refusal
	}
	c.SetSettings(&i.settings)
	c.SetTimeout(min(i.options.IdleTimeout, i.options.ReadHeaderTimeout))
	if open := i.options.OnOpen; open != nil {
		c.SetUserData(open(c))
	}
	return i
}

// newInstance returns the instance for the loop of c.
func (s *Server) newInstance(c *loop.Conn) *instance {
	i := s.instanceWith(s.options, c)
	i.counts = loop.NewCounts[counts](c.Loop())
	refusing := s.options
	refusing.OnHead = refuseOverload
	i.refusal = s.instanceWith(refusing, c)
	i.own, i.refusal.own = i.counts.Own, i.counts.Own
	return i
}

func (s *Server) instanceWith(o Options, c *loop.Conn) *instance {
	i := &instance{
		handler: s.handler, options: o, limits: s.limits, settings: *c.Settings(),
		stamp: stamp{name: o.ServerName},
	}
	o.tune(&i.settings)
	i.noKeepAlive.Store(s.noKeepAlive.Load())
	if log := o.AccessLog; log != nil {
		i.options.AccessLog = c.Loop().AsyncLogger(log)
	}
	return i
}

// refuseOverload answers with 503 and Retry-After, and closes.
func refuseOverload(w *Response, _ *Request) {
	w.Busy()
	w.head.Close = true
	w.Finish()
}

// SetKeepAlivesEnabled says whether connections persist, as they do without a call.
// With false, every answer from now on ends its connection, and says so, and idle
// connections are closed after the engine's Options.DrainGrace. Any goroutine.
func (s *Server) SetKeepAlivesEnabled(enabled bool) {
	s.noKeepAlive.Store(!enabled)
	s.instances.Each(func(l *loop.Loop, i *instance) {
		i.noKeepAlive.Store(!enabled)
		if enabled {
			return
		}
		_ = l.PostUnbounded(func() { // a loop that has ended has no connections
			for _, c := range l.Conns() {
				if c.Settings() == &i.settings { // its own, also behind a wrapper
					i.shutdown(c)
				}
			}
		})
	})
}

// OnData takes requests, and parts of them.
func (s *instance) OnData(c *loop.Conn, in []byte) (used int) {
	x := s.session(c)
	if x == nil {
		x = s.begin(c)
	}
	if x.body.space != nil {
		used = x.filled(in)
	} else {
		used = x.run(in)
	}
	if x.upgrade != nil {
		x.become()
		return used
	}
	s.rest(x, used < len(in))
	return used
}

// ReadBuffer has a large body put where it is gathered, or where its reader wants it.
func (s *instance) ReadBuffer(c *loop.Conn) []byte {
	if x := s.session(c); x != nil && x.in == inBody {
		return x.body.readSpace(x)
	}
	return nil
}

// OnEvent handles everything but input.
func (s *instance) OnEvent(c *loop.Conn, e loop.Event) (handled bool) {
	x := s.session(c)
	switch e {
	case loop.EventWritable:
		if x != nil && x.out == streaming {
			x.stream.ready()
		}
	case loop.EventTimeout:
		if x != nil {
			x.timedOut()
			break
		}
		s.count().IdleTimeouts++
		c.CloseIdle()
	case loop.EventEOF:
		// The client counts as gone, though it may still read an answer.
		if x == nil {
			return false
		}
		x.clientLeft()
		s.rest(x, c.Buffered() > 0)
	case loop.EventHangup:
		if x != nil {
			x.clientLeft()
		}
	case loop.EventShutdown:
		s.shutdown(c)
	case loop.EventClosed:
		if x != nil {
			x.closed(c.Err())
			s.release(x)
		}
		s.connState(c.UserData(), http.StateClosed)
	}
	return true
}

// shutdown keeps an idle connection for a request that may be on its way, with which it
// will end. Others end with the answer in flight.
func (s *instance) shutdown(c *loop.Conn) {
	if s.session(c) == nil {
		c.SetTimeout(c.Settings().DrainGrace)
	}
}

// connState calls Options.ConnState.
func (s *instance) connState(value any, state http.ConnState) {
	if changed := s.options.ConnState; changed != nil {
		changed(value, state)
	}
}

// session is that of the request in work on c, nil if there is none: then the state of c
// is the value of Options.OnOpen.
func (s *instance) session(c *loop.Conn) *session {
	x, _ := c.UserData().(*session)
	return x
}

// begin gives c a session.
func (s *instance) begin(c *loop.Conn) *session {
	var x *session
	if n := len(s.free); n > 0 {
		x, s.free = s.free[n-1], s.free[:n-1]
	} else {
		x = &session{server: s}
		x.request.session, x.response.session, x.response.request = x, x, &x.request
		x.request.head.Fields = make([]httpparse.Field, 0, fieldsExpected)
	}
	x.conn = c
	x.value = c.UserData()
	c.SetUserData(x)
	return x
}

// rest looks where a session stands after its events. Between requests it has
// served its turn, unless there is more input. A client that has stopped sending
// will not complete a request.
func (s *instance) rest(x *session, more bool) {
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
func (s *instance) release(x *session) {
	x.conn.SetUserData(x.value)
	if x.deferred != nil && !x.deferred.settled {
		x.response.dropOwned()
		return
	}
	if x.in != between { // where it was reset already
		x.reset()
	}
	x.conn, x.value, x.in, x.out, x.depth, x.gone, x.upgrade, x.leaving = nil, nil, between, unanswered, 0, false, nil, nil
	if len(s.free) < sessionsKept {
		s.free = append(s.free, x)
	}
}
