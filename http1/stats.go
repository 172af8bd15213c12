package http1

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"time"

	"github.com/eddynet/eddy/loop"
)

// Stats counts the events of a Server, on all loops and listeners. The Stats of the engine count
// the connections. It can be encoded as JSON.
type Stats struct {
	Requests   uint64         // with a complete and valid head
	Responses  [6]uint64      // complete final responses, by the first digit of their status; [0]: above 599
	Refused    map[int]uint64 // of these, errors sent by the server itself, by status
	Overloaded uint64         // requests refused with 503, not in Refused: a Pool was full, or the connection beyond Options.MaxConns
	Upgrades   uint64         // connections that left HTTP, by Upgrade or Hijack
	Unanswered uint64         // requests whose connection ended before their response was complete

	IdleTimeouts    uint64 // connections closed between requests
	HeadTimeouts    uint64 // heads not received in time: 408
	BodyTimeouts    uint64 // bodies not received in time: 408, unless the response was complete
	HandlerTimeouts uint64 // deferred responses not given in time: 503, or the program's own
	StreamTimeouts  uint64 // streams that were idle for too long, and aborted
	BrokenBodies    uint64 // invalid bodies whose response had begun, so that it could not report the error
}

// refusals are the statuses of errors sent by the server itself.
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

// counts are the counters of one loop: Stats, with an array in place of the map.
type counts struct {
	Stats
	refused [len(refusals)]uint64 // by index in refusals
}

// Stats sums the counters of all loops, each as of its last wait. Any goroutine.
func (s *Server) Stats() Stats {
	sum := Stats{Refused: map[int]uint64{}}
	s.instances.Each(func(_ *loop.Loop, i *instance) {
		c := i.counts.Read()
		sum.add(&c)
	})
	return sum
}

func (s *Stats) add(c *counts) {
	sum, own := reflect.ValueOf(s).Elem(), reflect.ValueOf(&c.Stats).Elem()
	for i := range sum.NumField() {
		if f := sum.Field(i); f.CanUint() {
			f.SetUint(f.Uint() + own.Field(i).Uint())
		}
	}
	for class, n := range c.Responses {
		s.Responses[class] += n
	}
	for i, n := range c.refused {
		if n > 0 {
			s.Refused[refusals[i]] += n
		}
	}
}

// count counts and logs a complete response, or the end of HTTP on the connection.
func (x *session) count() {
	n, r, w := x.server.count, &x.request, &x.response
	switch class := w.head.Status / 100; {
	case x.upgrade != nil:
		n.Upgrades++
	case class < len(n.Responses):
		n.Responses[class]++
	default:
		n.Responses[0]++
	}
	log := x.server.options.AccessLog
	if log == nil {
		return
	}
	// Handlers of log/slog escape control bytes: a target cannot forge a line.
	log.LogAttrs(context.Background(), slog.LevelInfo, "request",
		slog.String("remote", r.RemoteAddr()),
		slog.String("method", string(r.Method())),
		slog.String("target", string(r.Target())),
		slog.Int("status", w.head.Status),
		slog.Int64("bytes", w.sent),
		slog.Duration("duration", time.Duration(x.conn.Loop().Clock()-x.started)))
}
