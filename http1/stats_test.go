package http1_test

import (
	"encoding/json"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/httpparse"
)

// counts expects these counts, and no others, soon: a loop publishes before it waits.
func (s *server) counts(want http1.Stats) {
	s.t.Helper()
	if want.Refused == nil {
		want.Refused = map[int]uint64{}
	}
	got := s.http.Stats()
	for deadline := time.Now().Add(patience); !reflect.DeepEqual(got, want); got = s.http.Stats() {
		if s.memory != nil || time.Now().After(deadline) {
			s.t.Fatalf("counts %+v, want %+v", got, want)
		}
		time.Sleep(time.Millisecond)
	}
}

// statusOf answers with the status that the query names.
func statusOf(w *http1.Response, r *http1.Request) {
	var code int
	if _, err := fmt.Sscan(string(r.Query()), &code); err != nil || w.SetStatus(code) != nil {
		panic("no status in the query")
	}
}

func TestAnswersAreCountedByClass(t *testing.T) {
	s := inMemory(t, statusOf, http1.Options{})
	c := s.dial()
	for _, code := range []string{"200", "204", "299", "301", "404", "410", "503"} {
		c.send(get("/?" + code))
		c.answer("GET")
	}
	s.counts(http1.Stats{Requests: 7, Responses: [6]uint64{2: 3, 3: 1, 4: 2, 5: 1}})
}

func TestRefusalsAreCountedByStatus(t *testing.T) {
	s := inMemory(t, statusOf, http1.Options{MaxBodyBytes: 10, Limits: httpparse.Limits{RequestLine: 100, Head: 1000}})
	for _, request := range []string{
		"BROKEN\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
		"GET /" + strings.Repeat("x", 100) + " HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 1000) + "\r\n\r\n",
		"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n",
		"GET /?none HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		c := s.dial()
		c.send(request)
		c.answer("GET")
		c.closed()
	}
	s.counts(http1.Stats{
		Requests:  4, // with a valid head
		Responses: [6]uint64{4: 6, 5: 3},
		Refused:   map[int]uint64{400: 2, 413: 1, 414: 1, 417: 1, 431: 1, 500: 1, 501: 1, 505: 1},
	})
}

func TestTimeoutsAreCountedByKind(t *testing.T) {
	refused := func(status int, s http1.Stats) http1.Stats {
		s.Refused = map[int]uint64{status: 1}
		s.Responses[status/100] = 1
		return s
	}
	for name, c := range map[string]struct {
		options http1.Options
		send    string
		want    http1.Stats
	}{
		"request": {http1.Options{IdleTimeout: shortly}, "", http1.Stats{IdleTimeouts: 1}},
		"head": {http1.Options{ReadHeaderTimeout: shortly}, "GET",
			refused(408, http1.Stats{HeadTimeouts: 1})},
		"body": {http1.Options{ReadTimeout: shortly}, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx",
			refused(408, http1.Stats{Requests: 1, BodyTimeouts: 1})},
		"handler": {http1.Options{HandlerTimeout: shortly}, get("/later"),
			refused(503, http1.Stats{Requests: 1, HandlerTimeouts: 1})},
		"stream": {http1.Options{HandlerTimeout: shortly}, get("/stream"),
			http1.Stats{Requests: 1, StreamTimeouts: 1, Unanswered: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := inMemory(t, func(w *http1.Response, r *http1.Request) {
				switch string(r.Path()) {
				case "/later":
					w.Defer()
				case "/stream":
					w.Stream()
				default:
					statusOf(w, r)
				}
			}, c.options)
			s.dial().send(c.send)
			s.pass(shortly + time.Millisecond)
			s.counts(c.want)
		})
	}
}

func TestClientsThatLeaveAreCounted(t *testing.T) {
	handling := make(chan *http1.Deferred, 1)
	s := inMemory(t, func(w *http1.Response, _ *http1.Request) { handling <- w.Defer() }, http1.Options{})
	c := s.dial()
	c.send("GET / HT") // no request yet
	if err := c.conn.Close(); err != nil {
		t.Fatal(err)
	}
	c = s.dial()
	c.send(get("/"))
	await(t, "the handler", handling)
	c.breakOff()
	s.counts(http1.Stats{Requests: 1, Unanswered: 1})
}

func TestConnectionsThatLeaveHTTPAreCounted(t *testing.T) {
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) == "/hijack" {
			w.Hijack(func(conn net.Conn, _ []byte, _ error) { conn.Close() })
		} else if err := w.Upgrade("echo", shout{}.Open); err != nil {
			panic(err)
		}
	}, http1.Options{})
	c := s.dial()
	c.send(get("/hijack"))
	c.closed()
	c = s.dial()
	c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
	expect(t, "status", c.answer("GET").status, 101)
	s.counts(http1.Stats{Requests: 2, Upgrades: 2})
}

func TestFullPoolIsCounted(t *testing.T) {
	enter, leave := make(chan struct{}), make(chan struct{})
	pool := http1.NewPool(1, 0)
	t.Cleanup(pool.Close)
	s := serve(t, http1.Blocking(func(*http1.Response, *http1.Request) {
		close(enter)
		<-leave
	}, pool), http1.Options{})
	first := s.dial()
	first.send(get("/"))
	await(t, "the first at work", enter)
	expect(t, "status", s.get("/", "").status, 503)
	close(leave)
	first.answer("GET")
	s.counts(http1.Stats{Requests: 2, Responses: [6]uint64{2: 1, 5: 1}, Overloaded: 1})
}

func TestBodyThatBreaksBehindItsAnswerIsCounted(t *testing.T) {
	s := inMemory(t, nothing, http1.Options{OnHead: func(w *http1.Response, r *http1.Request) {
		r.OnBody(func([]byte, error) {}) // the connection is to persist
		_ = w.Stream().Finish()
	}})
	c := s.dial()
	c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
	c.answer("POST")
	c.send("not a chunk\r\n")
	s.counts(http1.Stats{Requests: 1, Responses: [6]uint64{2: 1}, BrokenBodies: 1})
}

func nothing(*http1.Response, *http1.Request) {}

func TestConnectionsThatBecomeHTTPAreCounted(t *testing.T) {
	s := serve(t, statusOf, http1.Options{})
	// HTTP at once: as a protocol with a preface would, after that.
	ln, err := s.engine.Listen("tcp", "127.0.0.1:0", func(c *eddy.Conn) eddy.Handler {
		if s.http.Open(c) != s.http.Open(c) {
			panic("another instance for the same loop")
		}
		c.SetProtocol(s.http.Open)
		return shout{}
	})
	if err != nil {
		t.Fatal(err)
	}
	s.get("/?200", "")
	s.addr = ln.Addr().String()
	for range 5 {
		s.get("/?200", "")
	}
	s.counts(http1.Stats{Requests: 6, Responses: [6]uint64{2: 6}})
	expect(t, "panics", s.engine.Stats().Panics, 0)
}

func TestStatsAreJSON(t *testing.T) {
	want := http1.Stats{Requests: 3, Responses: [6]uint64{4: 2}, Refused: map[int]uint64{431: 2}}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got http1.Stats
	if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %+v, %v", text, got, err)
	}
}
