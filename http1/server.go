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

// Server is HTTP/1.1 as a protocol of an engine: RFC 9112 and RFC 9110. Give it to
// Engine.Listen. Any goroutine.
type Server struct {
	handler   Handler
	options   Options
	invalid   error // of the options
	limits    httpparse.Limits
	instances loop.PerLoop[*instance]

	noKeepAlive atomic.Bool // see SetKeepAlivesEnabled
}

// instance is a Server on one loop: the Handler of its connections there.
type instance struct {
	*Server
	options  Options // with the loop's AccessLog
	settings loop.Settings
	stamp    stamp
	own      *counts // where the loop counts: counts.Own
	counts   *loop.Counts[counts]
	free     []*session
	refusal  *instance  // for connections beyond the limit
	adapters []*Adapter // that have served a request on this loop
}

var _ loop.ReadBuffer = (*instance)(nil)

// New returns the protocol that serves h. An error in the options is Listen's.
func New(h Handler, options Options) *Server {
	s := &Server{handler: h}
	if s.options, s.invalid = options.withDefaults(); h == nil {
		s.invalid = errNoHandler
	}
	s.limits = s.options.limits()
	return s
}

// Open opens a connection, on its loop.
func (s *Server) Open(c *loop.Conn) loop.Handler {
	l := c.Loop()
	i := s.instances.Get(l, func() *instance { return s.newInstance(c) })
	if c.Overloaded() {
		i = i.refusal
	}
	c.SetSettings(&i.settings)
	c.SetTimeout(min(s.options.IdleTimeout, s.options.ReadHeaderTimeout))
	if open := s.options.OnOpen; open != nil {
		c.SetUserData(open(c))
	}
	return i
}

// newInstance returns the instance for the loop of c.
func (s *Server) newInstance(c *loop.Conn) *instance {
	l := c.Loop()
	i := &instance{
		Server:   s,
		options:  s.options,
		settings: *c.Settings(),
		stamp:    stamp{name: s.options.ServerName},
		counts:   loop.NewCounts[counts](l),
	}
	s.options.tune(&i.settings)
	i.own = i.counts.Own
	if log := s.options.AccessLog; log != nil {
		i.options.AccessLog = l.AsyncLogger(log)
	}
	refusal := *i
	refusal.options.OnHead = refuseOverload
	i.refusal = &refusal
	return i
}

// refuseOverload answers with 503 and Retry-After, and closes.
func refuseOverload(w *Response, _ *Request) {
	tooBusy(w)
	w.close = true
	w.Finish()
}

// SetKeepAlivesEnabled says whether connections persist, as they do without a call.
// With false, every answer from now on ends its connection, and says so, and idle
// connections are closed after the engine's Options.DrainGrace. Any goroutine.
func (s *Server) SetKeepAlivesEnabled(enabled bool) {
	s.noKeepAlive.Store(!enabled)
	if enabled {
		return
	}
	s.instances.Each(func(l *loop.Loop, i *instance) {
		_ = l.PostUnbounded(func() { // a loop that has ended has no connections
			for _, c := range l.Conns(i) {
				i.shutdown(c)
			}
		})
	})
}

// OnData takes requests, and parts of them.
func (s *instance) OnData(c *loop.Conn, in []byte) int {
	x := s.session(c)
	if x == nil {
		x = s.begin(c)
	}
	var used int
	if len(x.body.space) > 0 {
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
	x := s.session(c)
	if x == nil || x.in != inBody {
		return nil
	}
	x.body.space = x.body.room(x)
	return x.body.space
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
		x.response.owned.drop()
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
