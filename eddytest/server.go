// Package eddytest tests protocols and HTTP handlers without sockets: a server in memory
// whose event loop runs on the test's own goroutine, with a fake clock. A request takes
// microseconds, and nothing depends on the machine.
//
// A protocol gets bytes, in the pieces that the test sends, and the test gets bytes back:
//
//	s := eddytest.NewServer(t, protocol)
//	c := s.Dial()
//	c.Send("PING\r\n")
//	got := c.Received()
//
// A handler of package http1 or nethttp gets whole requests, and the test gets parsed
// responses:
//
//	server, err := http1.New(handler, http1.Options{})
//	c := eddytest.NewServer(t, server.Open).Dial()
//	response, err := c.Do(httptest.NewRequest("GET", "/", nil))
//
// Time stands still, but for Server.Advance: timers and deadlines pass in order, and take
// no time. Conn.SetWindow makes a client that reads slowly, Conn.CloseWrite, Close and
// Reset one that disconnects, Server.Drain a shutdown. Every method returns when the loop has
// nothing left to do, so that its effect can be looked at. For a handler that responds from
// another goroutine, Conn.Read, Conn.Do and Server.Wait wait in real time.
//
// To see that a handler has closed its connection, look at Conn.EOF. Conn.Closed is true
// later: when the connection has stopped lingering, or was aborted.
//
// It differs from a server with sockets in this: Conn.Detach, and so Hijack, returns an
// error, because there is no socket to take along; EventHangup does not come while reading
// is paused: the end of the input is seen when it goes on; connections beyond
// Options.MaxConns are not refused but fail the test. The field Date begins with the real
// time, and advances with the clock.
//
// All methods belong to the test's goroutine.
package eddytest

import (
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/loop"
)

// patience bounds how long Wait waits for other goroutines. No passing test waits it out.
const patience = 10 * time.Second

// Server serves a protocol in memory, on one loop.
type Server struct {
	t        testing.TB
	protocol eddy.Protocol
	reactor  *loop.Reactor
	grace    time.Duration // of Drain
	now      atomic.Int64  // nanoseconds; it starts at an hour
	ended    bool
}

// NewServer returns a server for p, with the engine's default options. It ends with the
// test.
func NewServer(t testing.TB, p eddy.Protocol) *Server {
	t.Helper()
	return NewServerOptions(t, p, eddy.Options{})
}

// NewServerOptions is NewServer with the limits, water marks, deadlines, DrainGrace and
// Logger of o. Other options have no effect. Without a Logger nothing is logged. Options
// that are not valid fail the test.
func NewServerOptions(t testing.TB, p eddy.Protocol, o eddy.Options) *Server {
	t.Helper()
	settings, err := o.Settings()
	if err != nil {
		t.Fatal(err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxConns == 0 {
		o.MaxConns = 1 << 30
	}
	s := &Server{t: t, protocol: p, grace: settings.DrainGrace}
	s.now.Store(int64(time.Hour))
	reactors, err := loop.New(loop.Config{
		Loops: 1, Logger: o.Logger, Settings: settings, Clock: s.now.Load,
		MaxConns: o.MaxConns, MaxRefusals: o.MaxRefusals,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.reactor = reactors[0]
	t.Cleanup(s.end)
	return s
}

func (s *Server) end() {
	if !s.ended {
		s.ended = true
		s.reactor.Discard()
	}
}

// The addresses of connections: documentation addresses, as in httptest.
var (
	clientAddr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1234}
	serverAddr = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 80}
)

// Dial connects to the server: its protocol has been called when Dial returns.
func (s *Server) Dial() *Conn {
	s.t.Helper()
	m := &memory{window: maxWindow}
	conn, err := s.reactor.AdoptTransport(m, clientAddr, serverAddr, s.protocol)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Run()
	return &Conn{server: s, memory: m, conn: conn}
}

// Loop is the loop that the connections live on, with its Stats, and its timers.
func (s *Server) Loop() *eddy.Loop { return s.reactor.Loop }

// Run runs the loop until it has nothing to do, which the other methods do by themselves.
// No time passes. Counts, such as those of Loop.Stats, are published.
func (s *Server) Run() {
	s.t.Helper()
	for turns, idle := 0, 0; idle < 2; turns++ { // the second idle cycle publishes the counts of the first
		if idle++; s.turn(0) {
			idle = 0
		}
		if turns == maxTurns {
			s.t.Fatalf("eddytest: the loop is still busy after %d cycles: a handler calls Redeliver, Post or Wake in each", maxTurns)
		}
	}
}

// maxTurns bounds the cycles of one Run.
const maxTurns = 1 << 20

// turn runs a cycle, and reports whether there is more to do.
func (s *Server) turn(wait time.Duration) (more bool) {
	s.t.Helper()
	more, err := s.reactor.Turn(wait)
	if err != nil {
		s.t.Fatal(err)
	}
	return more
}

// Advance lets time pass on the loop's clock: timers and deadlines expire in their order,
// each at its time.
func (s *Server) Advance(d time.Duration) {
	s.t.Helper()
	end := s.now.Load() + int64(d)
	for s.Run(); ; s.Run() {
		next := s.reactor.NextTimer()
		if next < 0 || next > end {
			break
		}
		s.now.Store(max(s.now.Load(), next))
	}
	s.now.Store(end)
	s.Run()
}

// Wait runs the loop until the condition holds, for handlers that respond from other
// goroutines. The test fails if it does not within 10 s of real time.
func (s *Server) Wait(condition func() bool) {
	s.t.Helper()
	s.wait(condition, "the condition does not hold: the loop's clock stands still meanwhile, see Advance")
}

func (s *Server) wait(condition func() bool, failure string) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); !condition(); s.turn(time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("eddytest: after %v of real time %s", patience, failure)
		}
	}
}

// Drain begins to shut the server down, as Engine.Shutdown does: connections end with
// their responses, or after Options.DrainGrace. Dial fails the test from then on.
func (s *Server) Drain() {
	s.t.Helper()
	if err := s.reactor.Drain(s.grace); err != nil {
		s.t.Fatal(err)
	}
	s.Run()
}
