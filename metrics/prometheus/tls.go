package prometheus

import (
	client "github.com/prometheus/client_golang/prometheus"

	"github.com/eddynet/eddy/eddytls"
)

// NewTLS returns a collector for these endpoints of TLS. Their keys are the values of the
// label endpoint. A scrape waits for no handshake.
func NewTLS(endpoints map[string]*eddytls.Endpoint) client.Collector {
	c := tlsCollector{}
	for name, e := range endpoints {
		c[name] = e.Stats
	}
	return c
}

// tlsCollector reads the counters at each scrape.
type tlsCollector map[string]func() eddytls.Stats

var (
	tlsHandshakes = client.NewDesc("eddy_tls_handshakes_total", "Handshakes that are done.", []string{"endpoint"}, nil)
	tlsResumed    = client.NewDesc("eddy_tls_resumptions_total", "Handshakes that have resumed a session.", []string{"endpoint"}, nil)
	tlsSeconds    = client.NewDesc("eddy_tls_handshake_seconds_total", "Duration of the handshakes that are done, added up.", []string{"endpoint"}, nil)
	tlsFailures   = client.NewDesc("eddy_tls_failures_total", "Handshakes that have failed, by reason.", []string{"endpoint", "reason"}, nil)
	tlsInProgress = client.NewDesc("eddy_tls_handshakes_in_progress", "Handshakes that have a goroutine.", []string{"endpoint"}, nil)
	tlsWaiting    = client.NewDesc("eddy_tls_handshakes_waiting", "Handshakes that wait for their turn.", []string{"endpoint"}, nil)
)

// Describe implements client.Collector.
func (tlsCollector) Describe(to chan<- *client.Desc) {
	for _, d := range []*client.Desc{tlsHandshakes, tlsResumed, tlsSeconds, tlsFailures, tlsInProgress, tlsWaiting} {
		to <- d
	}
}

// Collect implements client.Collector.
func (c tlsCollector) Collect(to chan<- client.Metric) {
	for name, stats := range c {
		s := stats()
		send := func(d *client.Desc, kind client.ValueType, value float64, labels ...string) {
			to <- client.MustNewConstMetric(d, kind, value, append([]string{name}, labels...)...)
		}
		send(tlsHandshakes, client.CounterValue, float64(s.Handshakes))
		send(tlsResumed, client.CounterValue, float64(s.Resumed))
		send(tlsSeconds, client.CounterValue, s.Duration.Seconds())
		send(tlsInProgress, client.GaugeValue, float64(s.InProgress))
		send(tlsWaiting, client.GaugeValue, float64(s.Waiting))
		for reason, n := range map[string]uint64{
			"timeout": s.Timeouts, "disconnected": s.Disconnected, "plain_http": s.PlainHTTP, "not_tls": s.NotTLS,
			"refused": s.Refused, "certificate": s.Certificates, "callback": s.Callbacks, "protocol": s.Protocol,
		} {
			send(tlsFailures, client.CounterValue, float64(n), reason)
		}
	}
}
