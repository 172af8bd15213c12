package http1_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// megabyte is a body that passes all marks and buffers.
var megabyte = pattern(1 << 20)

// behaviour is one that must be the same whatever a connection runs on.
type behaviour struct {
	name    string
	handler http1.Handler
	options http1.Options
	engine  eddy.Options
	client  func(t *testing.T, s *server)
}

// TestBehavioursOverALayer: what lies under a connection changes nothing above it.
func TestBehavioursOverALayer(t *testing.T) {
	for name, v := range map[string]via{
		"layer":                  {layered: true},
		"memory":                 {memory: true},
		"layer, for slow reader": {memory: true, layered: true, window: 5000},
		"TLS":                    {tls: true},
		"TLS, in memory":         {memory: true, tls: true},
		"TLS, for slow reader":   {memory: true, tls: true, window: 5000},
	} {
		for _, b := range slices.Concat(answers(), uploads(), takeovers()) {
			t.Run(name+"/"+b.name, func(t *testing.T) {
				if v.memory && b.name == "Hijack" {
					t.Skip("there is no socket to detach")
				}
				b.client(t, serveVia(t, v, b.handler, b.options, b.engine))
			})
		}
	}
}

// echoed expects the megabyte as the body of an answer.
func echoed(t *testing.T, c *client) {
	t.Helper()
	if a := c.answer("POST"); a.status != 200 || !bytes.Equal(a.body, megabyte) {
		t.Errorf("status %d, and a body of %d bytes that differs", a.status, len(a.body))
	}
}

// sendsBeside sends on a goroutine, where a server may answer before it has read: over
// memory at once, which has room for everything.
func (c *client) sendsBeside(s string) (done <-chan error) {
	ch := make(chan error, 1)
	send := func() {
		_, err := io.WriteString(c.conn, s)
		ch <- err
	}
	if c.memory() != nil {
		send()
	} else {
		go send()
	}
	return ch
}

// answers are behaviours of what is sent.
func answers() []behaviour {
	free := newReleased()
	return []behaviour{
		{"SetBody", func(w *http1.Response, _ *http1.Request) { w.SetBody(megabyte, free.as("a")) }, http1.Options{}, eddy.Options{},
			func(t *testing.T, s *server) {
				c := s.dial()
				for range 2 {
					c.send(get("/"))
					echoed(t, c)
					free.expect(t, "a")
				}
			}},
		{"Stream with OnReady", pump(megabyte, false), http1.Options{}, eddy.Options{},
			func(t *testing.T, s *server) {
				c := s.dial()
				c.send(get("/") + get("/"))
				echoed(t, c)
				echoed(t, c)
			}},
		{"Send", func(w *http1.Response, _ *http1.Request) {
			stream := w.Stream()
			go func() {
				for i := 0; i < len(megabyte); i += 64 << 10 {
					if stream.Send(megabyte[i:i+64<<10]) != nil {
						return // the client will miss it
					}
				}
				_ = stream.Close()
			}()
		}, http1.Options{}, eddy.Options{},
			func(t *testing.T, s *server) {
				c := s.dial()
				c.send(get("/"))
				echoed(t, c)
			}},
		{"pipelining", func(w *http1.Response, r *http1.Request) { w.Write(r.Path()) }, http1.Options{}, eddy.Options{},
			func(t *testing.T, s *server) {
				c := s.dial()
				var requests strings.Builder
				for i := range 1000 {
					requests.WriteString(get(path(i)))
				}
				c.sendsBeside(requests.String())
				for i := range 1000 {
					expect(t, "body", string(c.answer("GET").body), path(i))
				}
			}},
	}
}

// uploads are behaviours of what is read.
func uploads() []behaviour {
	large := http1.Options{MaxBodyBytes: 2 << 20}
	var gathered []byte
	return []behaviour{
		{"upload", echoBody, large, eddy.Options{}, // into memory that the connection is read into
			func(t *testing.T, s *server) {
				c := s.dial()
				for range 2 {
					sent := c.sendsBeside(postOf("/", "", len(megabyte)) + string(megabyte))
					echoed(t, c)
					expect(t, "sending", await(t, "the end of the upload", sent), nil)
				}
			}},
		{"upload into memory of the program", func(w *http1.Response, _ *http1.Request) { w.Write(gathered) },
			http1.Options{MaxBodyBytes: 2 << 20, OnHead: func(_ *http1.Response, r *http1.Request) {
				gathered = make([]byte, 0, len(megabyte))
				r.OnBody(func(chunk []byte, _ error) { gathered = append(gathered, chunk...) })
				r.OnBodyBuffer(func(int64) []byte { return gathered[len(gathered):cap(gathered)] })
			}}, eddy.Options{},
			func(t *testing.T, s *server) {
				c := s.dial()
				sent := c.sendsBeside(postOf("/", "", len(megabyte)) + string(megabyte))
				echoed(t, c)
				expect(t, "sending", await(t, "the end of the upload", sent), nil)
			}},
		{"early answer", describe, http1.Options{MaxBodyBytes: 1000}, eddy.Options{},
			func(t *testing.T, s *server) {
				c := s.dial()
				sent := c.sendsBeside(postOf("/", "", len(megabyte)) + string(megabyte))
				expect(t, "status", c.answer("POST").status, 413)
				c.closed()
				expect(t, "sending", await(t, "the end of the upload", sent), nil)
			}},
		{"100 Continue", echoBody, large, eddy.Options{},
			func(t *testing.T, s *server) {
				c := s.dial()
				c.send(expectFive)
				expect(t, "status", c.answer("POST").status, 100)
				c.send("hel")
				c.quiet(5 * time.Millisecond)
				c.send("lo")
				expect(t, "body", string(c.answer("POST").body), "hello")
			}},
	}
}

// takeovers are behaviours of a connection that ends, or leaves HTTP.
func takeovers() []behaviour {
	h, deferred := deferrals()
	return []behaviour{
		{"Upgrade", func(w *http1.Response, _ *http1.Request) { _ = w.Upgrade("shout", shout{}.Open) }, http1.Options{}, eddy.Options{},
			func(t *testing.T, s *server) {
				c := s.dial()
				c.send(offer + "\r\nhello")
				expect(t, "status", c.answer("GET").status, 101)
				c.reads("HELLO")
				c.send(strings.Repeat("more", 10_000))
				c.reads(strings.Repeat("MORE", 10_000))
			}},
		{"Hijack", func(w *http1.Response, r *http1.Request) {
			if string(r.Path()) == "/large" {
				w.Write(megabyte)
				return
			}
			w.Hijack(hijackEcho) // while output is pending
		}, http1.Options{}, eddy.Options{HighWater: 4 << 20},
			func(t *testing.T, s *server) {
				c := s.dial()
				sent := c.sendsBeside(get("/large") + get("/hijack") + string(megabyte))
				echoed(t, c)
				c.reads("hello ")
				c.reads(string(megabyte))
				expect(t, "sending", await(t, "the end of it", sent), nil)
				expect(t, "CloseWrite", c.conn.CloseWrite(), nil)
				c.closed()
			}},
		{"half-close", h, http1.Options{}, eddy.Options{},
			func(t *testing.T, s *server) {
				c := s.dial()
				c.send(get("/") + get("/"))
				expect(t, "CloseWrite", c.conn.CloseWrite(), nil)
				for range 2 {
					d := await(t, "a request", deferred)
					expect(t, "Respond", d.Respond(func(w *http1.Response) { w.Write(megabyte) }), nil)
					echoed(t, c)
				}
				c.closed()
			}},
		{"drain", h, http1.Options{}, eddy.Options{DrainGrace: shortly},
			func(t *testing.T, s *server) {
				idle, working := s.dial(), s.dial()
				idle.send(get("/"))
				expect(t, "Respond", await(t, "a request", deferred).Respond(respond("x")), nil)
				expect(t, "body", string(idle.answer("GET").body), "x")
				working.send(get("/"))
				d := await(t, "a request", deferred)
				s.drain()
				idle.closed()
				expect(t, "Respond", d.Respond(func(w *http1.Response) { w.Write(megabyte) }), nil)
				echoed(t, working)
				working.closed()
				idle.conn.Close()
				working.conn.Close()
			}},
	}
}

// drain begins to shut the server down, and lets the grace of shortly pass.
func (s *server) drain() {
	if s.memory == nil {
		s.cancel()
		return
	}
	s.memory.Drain()
	s.memory.Advance(time.Second)
}

// hijackEcho sends back what it reads, from two goroutines.
func hijackEcho(conn net.Conn, buffered []byte, err error) {
	if err != nil {
		return // the client will miss it
	}
	defer conn.Close()
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, io.MultiReader(bytes.NewReader(buffered), conn))
		_ = w.CloseWithError(err)
	}()
	fmt.Fprint(conn, "hello ")
	_, _ = io.Copy(conn, r) // as above
}
