package nethttp_test

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/nethttp"
)

// onBothServers runs a test against servers with the same settings: net/http's own, and
// the engine.
func onBothServers(t *testing.T, settings func() *http.Server, test func(t *testing.T, addr string)) {
	t.Run("net/http", func(t *testing.T) {
		s := httptest.NewUnstartedServer(nil)
		s.Config = settings()
		s.Start()
		t.Cleanup(s.Close)
		t.Cleanup(s.CloseClientConnections)
		test(t, s.Listener.Addr().String())
	})
	t.Run("engine", func(t *testing.T) {
		test(t, serve(t)(nethttp.NewServer(settings(), http1.Options{ServerName: "-"})).addr)
	})
}

type contextKey string

// TestContexts: those of server, connection and request are each the parent of the
// next. The connection is the same for all requests.
func TestContexts(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, key := range []contextKey{"base", "conn"} {
			io.WriteString(w, r.Context().Value(key).(string)+" ")
		}
		if s, ok := r.Context().Value(http.ServerContextKey).(*http.Server); !ok || s.Handler == nil {
			t.Error("the context does not lead to the server")
		}
		if r.Context().Err() != nil {
			t.Error(r.Context().Err())
		}
	})
	onBothServers(t, func() *http.Server {
		return &http.Server{
			Handler: h,
			BaseContext: func(ln net.Listener) context.Context {
				return context.WithValue(context.Background(), contextKey("base"), ln.Addr().Network())
			},
			ConnContext: func(ctx context.Context, c net.Conn) context.Context {
				host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
				return context.WithValue(ctx, contextKey("conn"), host+c.LocalAddr().Network())
			},
		}
	}, func(t *testing.T, addr string) {
		conn, r := dialBoth(t, addr)
		for range 2 {
			io.WriteString(conn, get("/"))
			a, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(a.Body)
			expect(t, "values", string(body), "tcp 127.0.0.1tcp ")
		}
	})
}

// TestBaseContextEndsItsRequests: so programs stop long handlers.
func TestBaseContextEndsItsRequests(t *testing.T) {
	base, stop := context.WithCancel(context.Background())
	begun, ended := make(chan bool, 1), make(chan error, 1)
	s := serve(t)(nethttp.NewServer(&http.Server{
		BaseContext: func(net.Listener) context.Context { return base },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			begun <- true
			<-r.Context().Done()
			ended <- r.Context().Err()
		}),
	}, http1.Options{}))
	c := s.dial()
	c.send(get("/"))
	await(t, "the handler", begun)
	stop()
	expect(t, "the context", await(t, "the end of the context", ended), context.Canceled)
	c.answer("GET")
}

// states records the states of connections.
type states struct {
	mu   sync.Mutex
	seen map[net.Conn][]string // guarded by mu
	end  chan []string
}

func (s *states) changed(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[c] = append(s.seen[c], state.String())
	if state == http.StateClosed || state == http.StateHijacked {
		s.end <- s.seen[c]
	}
}

// TestConnState: the states of connections are those that net/http shows.
func TestConnState(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/close":
			w.Header().Set("Connection", "close")
		case "/hijack":
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			c.Close()
		}
	})
	for sent, want := range map[string][]string{
		"":                              {"new", "closed"},
		to("GET", "/"):                  {"new", "active", "idle", "closed"},
		to("GET", "/") + to("GET", "/"): {"new", "active", "idle", "active", "idle", "closed"},
		to("GET", "/close"):             {"new", "active", "closed"},
		to("GET", "/hijack"):            {"new", "active", "hijacked"},
		"broken\r\n\r\n":                {"new", "active", "closed"},
	} {
		seen := states{seen: map[net.Conn][]string{}, end: make(chan []string, 1)}
		onBothServers(t, func() *http.Server { return &http.Server{Handler: h, ConnState: seen.changed} },
			func(t *testing.T, addr string) {
				conn, r := dialBoth(t, addr)
				io.WriteString(conn, sent)
				for range strings.Count(sent, "HTTP/1.1") {
					if a, err := http.ReadResponse(r, nil); err == nil {
						io.Copy(io.Discard, a.Body)
					}
				}
				time.Sleep(10 * time.Millisecond) // the last state has come, if the answer has
				conn.Close()
				if got := await(t, "the end of the connection", seen.end); !slices.Equal(got, want) {
					t.Errorf("after %.20q: %q, want %q", sent, got, want)
				}
			})
	}
}

// TestConnStateCloses: the connection that ConnState is given can be closed.
func TestConnStateCloses(t *testing.T) {
	onBothServers(t, func() *http.Server {
		return &http.Server{Handler: http.NotFoundHandler(), ConnState: func(c net.Conn, state http.ConnState) {
			if state == http.StateIdle {
				c.Close()
			}
		}}
	}, func(t *testing.T, addr string) {
		expect(t, "the connection", strings.HasSuffix(converse(t, addr, to("GET", "/")), "closed\n"), true)
	})
}

// TestLimits are net/http's: 1 MiB for the head, unless the server says something else.
func TestLimits(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
	long, huge := strings.Repeat("x", 20<<10), strings.Repeat("x", 2<<20)
	for _, c := range []struct {
		most int
		sent string
		want string
	}{
		{0, to("GET", "/"+long), "200"},
		{0, to("GET", "/", "Cookie: a="+long), "200"},
		{0, to("GET", "/", "Cookie: a="+strings.Repeat(long, 40)), "200"},
		{0, to("GET", "/", slices.Repeat([]string{"X: y"}, 1000)...), "200"},
		{0, to("GET", "/", "Cookie: a="+huge), "431"},
		{16 << 10, to("GET", "/", "Cookie: a="+long[:16<<10]), "200"},
		{16 << 10, to("GET", "/", "Cookie: a="+long+long), "431"},
	} {
		onBothServers(t, func() *http.Server { return &http.Server{Handler: h, MaxHeaderBytes: c.most} },
			func(t *testing.T, addr string) {
				conn, r := dialBoth(t, addr)
				go io.WriteString(conn, c.sent)
				a, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				expect(t, "status", a.Status[:3], c.want)
			})
	}
}

// TestIdleTimeout begins with the first answer.
func TestIdleTimeout(t *testing.T) {
	onBothServers(t, func() *http.Server {
		return &http.Server{Handler: http.NotFoundHandler(), IdleTimeout: 20 * time.Millisecond}
	}, func(t *testing.T, addr string) {
		conn, r := dialBoth(t, addr)
		time.Sleep(60 * time.Millisecond)
		io.WriteString(conn, get("/"))
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, a.Body)
		_, err = r.ReadByte()
		expect(t, "the end of the connection", err, io.EOF)
	})
}

// TestOptionsOfTheServer: OPTIONS * is for the handler if the server says so.
func TestOptionsOfTheServer(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "handled "+r.RequestURI) })
	for _, disabled := range []bool{false, true} {
		onBothServers(t, func() *http.Server {
			return &http.Server{Handler: h, DisableGeneralOptionsHandler: disabled}
		}, func(t *testing.T, addr string) {
			expect(t, "handled", strings.Contains(converse(t, addr, to("OPTIONS", "*")), "handled *"), disabled)
		})
	}
}

// TestErrorLog gets the panics of handlers, and their mistakes.
func TestErrorLog(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.WriteHeader(500)
		panic("on purpose")
	})
	var out syncBuffer
	onBothServers(t, func() *http.Server {
		out.Reset()
		return &http.Server{Handler: h, ErrorLog: log.New(&out, "", 0)}
	}, func(t *testing.T, addr string) {
		converse(t, addr, to("GET", "/"))
		for _, want := range []string{
			"http: superfluous response.WriteHeader call from github.com/eddynet/eddy/nethttp_test.TestErrorLog",
			"(server_test.go:", "panic serving 127.0.0.1:", "on purpose\n",
		} {
			for give := time.Now().Add(patience); !strings.Contains(out.String(), want); time.Sleep(time.Millisecond) {
				if time.Now().After(give) {
					t.Fatalf("the log does not have %q:\n%s", want, out.String())
				}
			}
		}
	})
}

// syncBuffer is a bytes.Buffer for several goroutines.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *syncBuffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf.Reset()
}
