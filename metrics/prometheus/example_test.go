package prometheus_test

import (
	"fmt"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/metrics/prometheus"
	"github.com/eddynet/eddy/nethttp"
)

// A server with metrics on a separate port.
func Example() {
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		panic(err)
	}
	public, err := http1.New(func(w *http1.Response, _ *http1.Request) { w.WriteString("hello") }, http1.Options{})
	if err != nil {
		panic(err)
	}
	if _, err := engine.Listen("tcp", "127.0.0.1:0", public.Open); err != nil {
		panic(err)
	}

	registry := client.NewRegistry()
	registry.MustRegister(prometheus.New(engine, map[string]*http1.Server{"public": public}))
	scraped, err := nethttp.New(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), http1.Options{})
	if err != nil {
		panic(err)
	}
	if _, err := engine.Listen("tcp", "127.0.0.1:0", scraped.Open); err != nil {
		panic(err)
	}

	families, err := registry.Gather() // as a scrape does
	if err != nil {
		panic(err)
	}
	for _, f := range families {
		if f.GetName() == "eddy_connections_open" {
			fmt.Println(f.GetName(), f.Metric[0].GetGauge().GetValue())
		}
	}
	// Output: eddy_connections_open 0
}
