package prometheus

import (
	"fmt"
	"io"
	"net"
	"reflect"
	"testing"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// numbered sets every number of a struct to a different value, from first on.
func numbered(v reflect.Value, first int) (next int) {
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.Kind() == reflect.Array:
			for j := range f.Len() {
				f.Index(j).SetUint(uint64(first))
				first++
			}
			continue
		case f.Kind() == reflect.Map:
			f.Set(reflect.ValueOf(map[int]uint64{400: uint64(first), 431: uint64(first + 1)}))
			first++
		case f.Type() == reflect.TypeFor[time.Duration]():
			f.Set(reflect.ValueOf(time.Duration(first) * time.Second))
		case f.CanInt():
			f.SetInt(int64(first))
		default:
			f.SetUint(uint64(first))
		}
		first++
	}
	return first
}

// gathered maps the collector's values to their metrics.
func gathered(t *testing.T, c client.Collector) map[float64]string {
	t.Helper()
	registry := client.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[float64]string{}
	for _, family := range families {
		for _, m := range family.Metric {
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue() // one of them is 0
			values[value] = fmt.Sprintf("%s%v", family.GetName(), m.GetLabel())
		}
	}
	return values
}

// Every number of the two Stats is exported, including those added later.
func TestEveryCountIsCollected(t *testing.T) {
	const first = 1000
	var engine eddy.Stats
	var server http1.Stats
	next := numbered(reflect.ValueOf(&engine).Elem(), first)
	next = numbered(reflect.ValueOf(&server).Elem(), next)
	values := gathered(t, &collector{
		engine:  func() eddy.Stats { return engine },
		servers: map[string]func() http1.Stats{"public": func() http1.Stats { return server }},
	})
	for value := first; value < next; value++ {
		if values[float64(value)] == "" {
			t.Errorf("a count is missing: number %d of %+v, %+v", value-first, engine, server)
		}
	}
}

func TestNamesFollowTheConventions(t *testing.T) {
	e, err := eddy.New(eddy.Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	server, err := http1.New(hello, http1.Options{})
	if err != nil {
		t.Fatal(err)
	}
	problems, err := testutil.CollectAndLint(New(e, map[string]*http1.Server{"a": server}))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func hello(w *http1.Response, _ *http1.Request) { _, _ = w.WriteString("hello") } // never fails

func TestCollectorOfARunningEngine(t *testing.T) {
	e, err := eddy.New(eddy.Options{Loops: 2, DrainGrace: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	server, err := http1.New(hello, http1.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := e.Listen("tcp", "127.0.0.1:0", server.Open)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- e.Run(t.Context()) }() // drains at the end of the test
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	want := map[string]float64{
		"eddy_connections_accepted_total": 1,
		"eddy_connections_open":           0,
		"eddy_http_requests_total":        1,
	}
	c := New(e, map[string]*http1.Server{"public": server})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		got := single(t, c, want)
		if reflect.DeepEqual(got, want) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("gathered %v, want %v", got, want)
		}
	}
}

// single gathers the metrics named in want, which have one value each.
func single(t *testing.T, c client.Collector, want map[string]float64) map[string]float64 {
	t.Helper()
	registry := client.NewRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		if _, wanted := want[family.GetName()]; wanted {
			m := family.Metric[0]
			got[family.GetName()] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return got
}
