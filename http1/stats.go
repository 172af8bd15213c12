package http1

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/eddynet/eddy/loop"
)

// Stats counts what a Server has seen since its start, on all loops and listeners. The
// connections themselves are in the engine's Stats. It can be encoded as JSON.
type Stats struct {
	Requests   uint64         // whose head was complete and valid
	Responses  [6]uint64      // complete final answers, by the first digit of their status; [0] those beyond 599
	Refused    map[int]uint64 // of these, the errors that the server answered by itself, by status
	Overloaded uint64         // of these, the 503 because all goroutines of a Pool were at work
	Upgrades   uint64         // connections that left HTTP, by Upgrade or Hijack
	Unanswered uint64         // requests whose connection ended before their answer was complete

	IdleTimeouts    uint64 // connections closed between requests
	HeadTimeouts    uint64 // heads that did not come in time: 408
	BodyTimeouts    uint64 // bodies that did not: 408, unless the answer was given
	HandlerTimeouts uint64 // deferred answers that were not given in time: 503, or the program's own
	StreamTimeouts  uint64 // streams that rested too long, and were aborted
	BrokenBodies    uint64 // bodies that broke a rule when their answer had begun, which so could not tell
}

// refusals are the statuses that a server answers with by itself.
var refusals = [...]int{
	http.StatusBadRequest,
	http.StatusRequestTimeout,
	http.StatusRequestEntityTooLarge,
	http.StatusRequestURITooLong,
	http.StatusExpectationFailed,
	http.StatusRequestHeaderFieldsTooLarge,
	http.StatusInternalServerError,
	http.StatusNotImplemented,
	http.StatusServiceUnavailable,
	http.StatusHTTPVersionNotSupported,
}

// counts is what one loop counts: Stats, in which refused, by the places in refusals,
// stands for the map.
type counts struct {
	Stats
	refused [len(refusals)]uint64
}

// respond counts a complete answer.
func (c *counts) respond(status int) {
	class := status / 100
	if class >= len(c.Responses) {
		class = 0
	}
	c.Responses[class]++
}

// refuse counts an error that the server answers with by itself.
func (c *counts) refuse(status int) {
	for i := range refusals {
		if refusals[i] == status {
			c.refused[i]++
		}
	}
}

// Stats sums the counts of all loops, each as of its last wait. Any goroutine.
func (s *Server) Stats() Stats {
	sum := Stats{Refused: map[int]uint64{}}
	s.instances.Each(func(_ *loop.Loop, i *instance) {
		c := i.counts.Read()
		sum.add(&c)
	})
	return sum
}

func (s *Stats) add(c *counts) {
	s.Requests += c.Requests
	for class, n := range c.Responses {
		s.Responses[class] += n
	}
	for i, n := range c.refused {
		if n > 0 {
			s.Refused[refusals[i]] += n
		}
	}
	s.Overloaded += c.Overloaded
	s.Upgrades += c.Upgrades
	s.Unanswered += c.Unanswered
	s.IdleTimeouts += c.IdleTimeouts
	s.HeadTimeouts += c.HeadTimeouts
	s.BodyTimeouts += c.BodyTimeouts
	s.HandlerTimeouts += c.HandlerTimeouts
	s.StreamTimeouts += c.StreamTimeouts
	s.BrokenBodies += c.BrokenBodies
}

// count is where the server's loop counts.
func (s *instance) count() *counts { return s.own }

// countAnswer counts a complete answer, or the end of HTTP on the connection.
func (x *session) countAnswer() {
	n := x.server.count()
	if x.upgrade != nil {
		n.Upgrades++
		return
	}
	n.respond(x.response.head.Status)
}

// logAnswer writes the access log's record of an answer. Handlers of log/slog
// escape control bytes: a target cannot forge a line.
func (x *session) logAnswer(log *slog.Logger) {
	r, w := &x.request, &x.response
	log.LogAttrs(context.Background(), slog.LevelInfo, "request",
		slog.String("remote", r.RemoteAddr()),
		slog.String("method", string(r.Method())),
		slog.String("target", string(r.Target())),
		slog.Int("status", w.head.Status),
		slog.Int64("bytes", w.sent),
		slog.Duration("duration", time.Duration(x.conn.Loop().Clock()-x.started)))
}
