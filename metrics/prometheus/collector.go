// Package prometheus exports the counters of an engine and of its HTTP servers to
// Prometheus. It is a nested module, so that the engine does not depend on the
// Prometheus client.
package prometheus

import (
	"strconv"

	client "github.com/prometheus/client_golang/prometheus"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// New returns a collector for the engine and for these HTTP servers. The keys of servers
// are the values of the label server. A program with several engines registers each
// through client.WrapRegistererWith, with a label for the engine. Register a collector
// once. A scrape does not wait for a loop.
func New(e *eddy.Engine, servers map[string]*http1.Server) client.Collector {
	c := &collector{engine: e.Stats, servers: map[string]func() http1.Stats{}}
	for name, s := range servers {
		c.servers[name] = s.Stats
	}
	return c
}

// collector reads the counters at each scrape.
type collector struct {
	engine  func() eddy.Stats
	servers map[string]func() http1.Stats
}

// metric is one number of a Stats. S is its type.
type metric[S any] struct {
	desc  *client.Desc
	kind  client.ValueType
	value func(s *S) float64
}

func counter[S any](name, help string, value func(s *S) uint64, labels ...string) metric[S] {
	return metric[S]{
		desc:  client.NewDesc("eddy_"+name+"_total", help, labels, nil),
		kind:  client.CounterValue,
		value: func(s *S) float64 { return float64(value(s)) },
	}
}

func gauge[S any](name, help string, value func(s *S) float64) metric[S] {
	return metric[S]{desc: client.NewDesc("eddy_"+name, help, nil, nil), kind: client.GaugeValue, value: value}
}

// Describe implements client.Collector.
func (c *collector) Describe(to chan<- *client.Desc) {
	for _, m := range engineMetrics {
		to <- m.desc
	}
	for _, m := range httpMetrics {
		to <- m.desc
	}
	to <- responses
	to <- refusals
	to <- timeouts
}

// Collect implements client.Collector.
func (c *collector) Collect(to chan<- client.Metric) {
	s := c.engine()
	for _, m := range engineMetrics {
		to <- client.MustNewConstMetric(m.desc, m.kind, m.value(&s))
	}
	for name, stats := range c.servers {
		s := stats()
		collectHTTP(to, name, &s)
	}
}

func collectHTTP(to chan<- client.Metric, server string, s *http1.Stats) {
	for _, m := range httpMetrics {
		to <- client.MustNewConstMetric(m.desc, m.kind, m.value(s), server)
	}
	count := func(d *client.Desc, n uint64, label string) {
		to <- client.MustNewConstMetric(d, client.CounterValue, float64(n), server, label)
	}
	for class, n := range s.Responses {
		code := strconv.Itoa(class) + "xx"
		if class == 0 {
			code = "other"
		}
		count(responses, n, code)
	}
	for status, n := range s.Refused {
		count(refusals, n, strconv.Itoa(status))
	}
	count(timeouts, s.IdleTimeouts, "request")
	count(timeouts, s.HeadTimeouts, "head")
	count(timeouts, s.BodyTimeouts, "body")
	count(timeouts, s.HandlerTimeouts, "handler")
	count(timeouts, s.StreamTimeouts, "stream")
}
