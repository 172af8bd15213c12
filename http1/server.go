package http1

import (
	"net/http"
	"sync/atomic"

	"github.com/eddynet/eddy/httpparse"
	"github.com/eddynet/eddy/loop"
)

// Handler responds to a request: it writes to w, or calls w.Defer or w.Stream to respond later. It
// must not block its loop. w and r are valid until it returns and the response is complete.
type Handler func(w *Response, r *Request)

// requestBudget is how many pipelined requests are processed before other connections.
const requestBudget = 256

// maxFreeSessions bounds the free list of a loop: memory is freed after a spike.
const maxFreeSessions = 64

// usualFields is a number of fields that most requests do not exceed.
const usualFields = 16

// Server is HTTP/1.1 as a protocol (RFC 9112, RFC 9110): see Open. Any goroutine, except for Open.
type Server struct {
	handler     Handler
	noKeepAlive atomic.Bool // see SetKeepAlivesEnabled
	options     Options
	instances   loop.PerLoop[*instance]
}

// instance is a Server on one loop, with copies of the fields that every request needs.
type instance struct {
	*Server
	options  Options // with the loop's AccessLog
	stamp    stamp
	settings loop.Settings
	free     []*session
	nobody   client // of connections without a value
	counts   *loop.Counts[counts]
	count    *counts // of this loop
}

// client is the user data of an idle connection.
type client struct {
	server *instance
	value  any // of Options.OnOpen
}

var _ loop.BufferSupplier = (*instance)(nil)

// New returns a server for h. The error names an invalid field of the options.
func New(h Handler, options Options) (*Server, error) {
	if h == nil {
		return nil, errNoHandler
	}
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Server{handler: h, options: options}, nil
}

// Open is the loop.Protocol of the server. Loop only.
func (s *Server) Open(c *loop.Conn) loop.Handler {
	i := s.instances.Get(c.Loop(), func() *instance { return s.newInstance(c) })
	c.SetSettings(&i.settings)
	c.SetTimeout(min(i.options.IdleTimeout, i.options.ReadHeaderTimeout))
	c.SetUserData(&i.nobody)
	if open := i.options.OnOpen; open != nil {
		c.SetUserData(&client{i, open(c)})
	}
	return i
}

func (s *Server) newInstance(c *loop.Conn) *instance {
	l := c.Loop()
	i := &instance{Server: s, options: s.options, settings: *c.Settings(), counts: loop.NewCounts[counts](l)}
	i.count, i.nobody.server = i.counts.Own, i
	i.stamp.begin(s.options.ServerName, l.Now())
	i.options.tune(&i.settings)
	if log := s.options.AccessLog; log != nil {
		i.options.AccessLog = l.AsyncLogger(log)
	}
	return i
}

func refuseOverload(w *Response, _ *Request) {
	w.Busy()
	w.head.Close = true
	w.Finish()
}

// SetKeepAlivesEnabled sets whether connections persist, as by default. With false, every response
// has Connection: close, and idle connections close after the engine's DrainGrace. Any goroutine.
func (s *Server) SetKeepAlivesEnabled(enabled bool) {
	if s.noKeepAlive.Store(!enabled); enabled {
		return
	}
	s.instances.Each(func(l *loop.Loop, i *instance) {
		_ = l.PostUnbounded(func() { // a loop that has ended has no connections
			for _, c := range l.Conns() {
				if who, idle := c.UserData().(*client); idle && who.server == i {
					i.shutdown(c)
				}
			}
		})
	})
}

func (s *instance) OnData(c *loop.Conn, in []byte) (used int) {
	x, active := c.UserData().(*session)
	if !active {
		x = s.begin(c)
	}
	used = x.run(in)
	if x.upgrade != nil {
		x.switchProtocol()
		return used
	}
	s.releaseIdle(x, used < len(in))
	return used
}

func (s *instance) ReadBuffer(c *loop.Conn) []byte {
	if x, active := c.UserData().(*session); active && x.in == readingBody {
		return x.body.nextReadBuffer(x)
	}
	return nil
}

func (s *instance) OnEvent(c *loop.Conn, e loop.Event) (handled bool) {
	x, _ := c.UserData().(*session)
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
		s.count.IdleTimeouts++
		c.CloseIdle()
	case loop.EventEOF:
		// The client counts as gone, although it may still read a response.
		if x == nil {
			return false
		}
		x.peerClosed()
		s.releaseIdle(x, c.Buffered() > 0)
	case loop.EventHangup:
		if x != nil {
			x.peerClosed()
		}
	case loop.EventShutdown:
		if x == nil { // others end with their response
			s.shutdown(c)
		}
	case loop.EventClosed:
		if x != nil {
			x.closed(c.Err())
			s.release(x)
		}
		s.connState(c.UserData().(*client), http.StateClosed)
	}
	return true
}

// A request may be in flight.
func (s *instance) shutdown(c *loop.Conn) { c.SetTimeout(c.Settings().DrainGrace) }

func (s *instance) connState(who *client, state http.ConnState) {
	if changed := s.options.ConnState; changed != nil {
		changed(who.value, state)
	}
}

func (s *instance) begin(c *loop.Conn) *session {
	var x *session
	if n := len(s.free); n > 0 {
		x, s.free = s.free[n-1], s.free[:n-1]
	} else {
		x = &session{server: s}
		x.request.session, x.response.session, x.response.request = x, x, &x.request
		x.request.head.Fields = make([]httpparse.Field, 0, usualFields)
		x.response.Reset()
	}
	x.conn, x.client = c, c.UserData().(*client)
	c.SetUserData(x)
	return x
}

// releaseIdle releases an idle session unless there is input, and closes the connection of a client
// that has stopped sending before the end of a request.
func (s *instance) releaseIdle(x *session, input bool) {
	unused := x.in == idle && !input
	switch {
	case !x.conn.Open():
	case x.conn.EOF() && (unused || x.in == readingHead || x.in == readingBody):
		x.conn.Close()
	case unused:
		s.release(x)
	}
}

func (s *instance) release(x *session) {
	x.conn.SetUserData(x.client)
	if x.leftBehind() {
		x.response.takeOwned().free()
		return
	}
	if x.in != idle { // else it was reset
		x.reset()
	}
	x.conn, x.client, x.in, x.out, x.depth, x.peerGone, x.upgrade = nil, nil, idle, unhandled, 0, false, nil
	if len(s.free) < maxFreeSessions {
		s.free = append(s.free, x)
	}
}
