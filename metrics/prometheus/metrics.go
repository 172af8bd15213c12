package prometheus

import (
	client "github.com/prometheus/client_golang/prometheus"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// These tables are constant.

var engineMetrics = []metric[eddy.Stats]{
	gauge("connections_open", "Connections that are open.",
		func(s *eddy.Stats) float64 { return float64(s.Open()) }),
	counter("connections_accepted", "Connections accepted.",
		func(s *eddy.Stats) uint64 { return s.Accepted }),
	counter("connections_dialled", "Connections dialled by the program.",
		func(s *eddy.Stats) uint64 { return s.Dialled }),
	counter("connections_closed", "Connections that have ended.",
		func(s *eddy.Stats) uint64 { return s.Closed }),
	counter("connections_refused", "Accepted connections beyond the limit, refused with a response.",
		func(s *eddy.Stats) uint64 { return s.Refused }),
	counter("connections_dropped", "Connections closed before they were opened.",
		func(s *eddy.Stats) uint64 { return s.Dropped }),
	counter("dial_errors", "Dials that failed.",
		func(s *eddy.Stats) uint64 { return s.DialErrors }),
	counter("accept_errors", "Accept calls that failed.",
		func(s *eddy.Stats) uint64 { return s.AcceptErrors }),
	counter("accept_pauses", "Times a listener was disarmed because of a shortage or a limit.",
		func(s *eddy.Stats) uint64 { return s.AcceptPauses }),
	counter("accept_limit_pauses", "Times a listener was disarmed because of the connection limit.",
		func(s *eddy.Stats) uint64 { return s.LimitPauses }),

	counter("timeouts", "Expired deadlines of protocols, idle connections and pending output.",
		func(s *eddy.Stats) uint64 { return s.TimedOut }),
	counter("write_timeouts", "Connections ended because the peer did not read its output.",
		func(s *eddy.Stats) uint64 { return s.WriteTimeouts }),
	counter("linger_timeouts", "Closed connections whose peer did not stop sending.",
		func(s *eddy.Stats) uint64 { return s.LingerTimeouts }),
	counter("socket_errors", "Connections ended by a socket error.",
		func(s *eddy.Stats) uint64 { return s.SocketErrors }),
	counter("input_overflows", "Connections ended because their protocol left too much input unconsumed.",
		func(s *eddy.Stats) uint64 { return s.InputOverflows }),
	counter("output_overflows", "Connections ended because too much output was pending.",
		func(s *eddy.Stats) uint64 { return s.OutputOverflows }),

	counter("read_bytes", "Bytes read from sockets.",
		func(s *eddy.Stats) uint64 { return s.BytesRead }),
	counter("written_bytes", "Bytes written to sockets.",
		func(s *eddy.Stats) uint64 { return s.BytesWritten }),
	gauge("pending_output_bytes", "Bytes of output not accepted by the kernel yet, because peers read slowly.",
		func(s *eddy.Stats) float64 { return float64(s.PendingOutput) }),

	counter("callback_panics", "Panics in callbacks.",
		func(s *eddy.Stats) uint64 { return s.Panics }),
	counter("slow_callbacks", "Callbacks that blocked a loop too long.",
		func(s *eddy.Stats) uint64 { return s.SlowCallbacks }),
	counter("log_records_dropped", "Log records dropped because the log output is too slow.",
		func(s *eddy.Stats) uint64 { return s.LogDropped }),
	counter("loop_cycles", "Cycles of the loops.",
		func(s *eddy.Stats) uint64 { return s.Cycles }),
	{
		desc:  client.NewDesc("eddy_loop_busy_seconds_total", "Time spent in cycles, all loops together.", nil, nil),
		kind:  client.CounterValue,
		value: func(s *eddy.Stats) float64 { return s.Busy.Seconds() },
	},
	gauge("loop_lag_max_seconds", "The longest cycle since the start.",
		func(s *eddy.Stats) float64 { return s.MaxLag.Seconds() }),
}

var httpMetrics = []metric[http1.Stats]{
	counter("http_requests", "Requests with a complete and valid head.",
		func(s *http1.Stats) uint64 { return s.Requests }, "server"),
	counter("http_overloads", "Requests refused with 503: all goroutines of a pool were busy, or the connection was beyond MaxConns.",
		func(s *http1.Stats) uint64 { return s.Overloaded }, "server"),
	counter("http_upgrades", "Connections upgraded to another protocol.",
		func(s *http1.Stats) uint64 { return s.Upgrades }, "server"),
	counter("http_unanswered", "Requests whose connection ended before the response was complete.",
		func(s *http1.Stats) uint64 { return s.Unanswered }, "server"),
	counter("http_broken_bodies", "Request bodies found invalid after the response had begun.",
		func(s *http1.Stats) uint64 { return s.BrokenBodies }, "server"),
}

// Metrics with two labels.
var (
	responses = client.NewDesc("eddy_http_responses_total",
		"Complete final responses, by status class.", []string{"server", "code"}, nil)
	refusals = client.NewDesc("eddy_http_refusals_total",
		"Responses sent by the server itself, by status.", []string{"server", "status"}, nil)
	timeouts = client.NewDesc("eddy_http_timeouts_total",
		"Expired deadlines, by the awaited event.", []string{"server", "awaited"}, nil)
)
