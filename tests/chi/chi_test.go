// Package chi_test runs a chi router with its middleware on the engine.
package chi_test

import (
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/nethttp"
)

const patience = 10 * time.Second

func newRouter() http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.RequestID, middleware.RealIP, middleware.Recoverer, middleware.StripSlashes,
		middleware.Compress(5), middleware.Timeout(50*time.Millisecond))
	r.Route("/items/{id}", func(r chi.Router) {
		r.Get("/", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			io.WriteString(w, strings.Repeat(chi.URLParam(r, "id"), 1000))
		})
		r.With(middleware.BasicAuth("items", map[string]string{"a": "b"})).
			Delete("/", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	})
	r.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("on purpose") })
	r.Get("/slow", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	r.Get("/remote", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RemoteAddr) })
	return r
}

// serve returns the URL of the router on an engine.
func serve(t *testing.T) string {
	middleware.DefaultLogger = func(next http.Handler) http.Handler { return next }
	engine, err := eddy.New(eddy.Options{Logger: slog.New(slog.DiscardHandler), DrainGrace: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	server, err := nethttp.New(newRouter(), http1.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := engine.Listen("tcp", "127.0.0.1:0", server.Open)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run returned %v", err)
			}
		case <-time.After(patience):
			t.Error("Run has not returned")
		}
	})
	return "http://" + ln.Addr().String()
}

func TestChi(t *testing.T) {
	url := serve(t)
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, Timeout: patience}
	for _, c := range []struct {
		method, path string
		fields       map[string]string
		status       int
		body         string
	}{
		{"GET", "/items/7", nil, 200, strings.Repeat("7", 1000)},
		{"GET", "/items/7/", map[string]string{"Accept-Encoding": "gzip"}, 200, strings.Repeat("7", 1000)},
		{"PUT", "/items/7", nil, 405, ""},
		{"DELETE", "/items/7", nil, 401, ""},
		{"DELETE", "/items/7", map[string]string{"Authorization": "Basic YTpi"}, 204, ""},
		{"GET", "/panic", nil, 500, ""},
		{"GET", "/slow", nil, 504, ""},
		{"GET", "/remote", map[string]string{"X-Real-IP": "192.0.2.7"}, 200, "192.0.2.7"},
		{"GET", "/nowhere", nil, 404, "404 page not found\n"},
	} {
		q, err := http.NewRequest(c.method, url+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range c.fields {
			q.Header.Set(name, value)
		}
		a, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		body := io.Reader(a.Body)
		if a.Header.Get("Content-Encoding") == "gzip" {
			if body, err = gzip.NewReader(a.Body); err != nil {
				t.Fatal(err)
			}
		} else if c.fields["Accept-Encoding"] != "" {
			t.Errorf("%s %s is not compressed", c.method, c.path)
		}
		got, err := io.ReadAll(body)
		a.Body.Close()
		if a.StatusCode != c.status || string(got) != c.body || err != nil {
			t.Errorf("%s %s: %s %.40q %v, want %d %.40q", c.method, c.path, a.Status, got, err, c.status, c.body)
		}
	}
}
