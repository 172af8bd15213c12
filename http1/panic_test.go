package http1_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// TestPanicInTheHandler: 500 and the end of this connection; the answers before it
// arrive, other connections do not notice.
func TestPanicInTheHandler(t *testing.T) {
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		w.SetHeader("X", "1")
		w.WriteString("half of an ")
		if string(r.Path()) == "/panic" {
			panic("on purpose")
		}
	}, http1.Options{})
	other := s.dial()
	other.send(get("/"))
	expect(t, "status of another", other.answer("GET").status, 200)
	for _, method := range []string{"GET", "HEAD"} {
		c := s.dial()
		c.send(get("/1") + get("/2") + method + " /panic HTTP/1.1\r\nHost: a\r\n\r\n" + get("/3"))
		for range 2 {
			expect(t, "status before", c.answer("GET").status, 200)
		}
		a := c.answer(method)
		expect(t, "status", a.status, 500)
		expect(t, "Connection", a.field("Connection"), "close")
		expect(t, "X", a.field("X"), "")
		if strings.Contains(string(a.body), "purpose") || strings.Contains(string(a.body), "half") {
			t.Errorf("the body tells too much: %q", a.body)
		}
		c.closed()
	}
	other.send(get("/"))
	expect(t, "status of another", other.answer("GET").status, 200)
	s.countsPanics(2)
}

// countsPanics waits for the number, which is published at the end of a cycle.
func (s *server) countsPanics(want uint64) {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if s.engine.Stats().Panics >= want {
			break
		}
	}
	expect(s.t, "panics counted", s.engine.Stats().Panics, want)
}

// TestPanicBehindDefer: the handler that has deferred, and panics. The context ends with
// the answer, not with the connection, which lingers.
func TestPanicBehindDefer(t *testing.T) {
	ch := make(chan *http1.Deferred, 1)
	s := serveWith(t, func(w *http1.Response, _ *http1.Request) {
		ch <- w.Defer()
		panic("on purpose")
	}, http1.Options{}, eddy.Options{LingerTimeout: late})
	c := s.dial()
	c.send(get("/"))
	expect(t, "status", c.answer("GET").status, 500)
	c.closed()
	d := await(t, "the request", ch)
	await(t, "the context", d.Context().Done())
	if err := d.Respond(respond("x")); !errors.Is(err, http1.ErrAnswered) {
		t.Errorf("Respond: %v", err)
	}
}

func TestPanicInRespond(t *testing.T) {
	h, ch := deferrals()
	s := serve(t, h, http1.Options{})
	c := s.dial()
	c.send(get("/") + get("/2"))
	d := await(t, "the request", ch)
	err := d.Respond(func(w *http1.Response) {
		w.WriteString("half")
		panic("on purpose")
	})
	if err != nil {
		t.Error(err)
	}
	expect(t, "status", c.answer("GET").status, 500)
	c.closed()
	expect(t, "status of another", s.getDeferred(ch), 200)
}

// TestPanicInAStream: in the handler, in a timer and in OnReady. The client sees
// that the body is not whole.
func TestPanicInAStream(t *testing.T) {
	for name, spoil := range map[string]func(w *http1.Response, s *http1.Stream){
		"handler": func(*http1.Response, *http1.Stream) { panic("on purpose") },
		"OnReady": func(_ *http1.Response, s *http1.Stream) {
			s.OnReady(func() { panic("on purpose") })
			for s.Room() {
				s.Write(make([]byte, 64<<10))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w *http1.Response, r *http1.Request) {
				if string(r.Path()) == "/good" {
					return
				}
				stream := w.Stream()
				stream.Write([]byte("hello"))
				spoil(w, stream)
			}, http1.Options{})
			c := s.dial()
			c.send(get("/"))
			if a, err := c.read("GET"); err == nil {
				t.Errorf("the client sees a whole body of %d bytes", len(a.body))
			}
			expect(t, "status of another", s.get("/good", "").status, 200)
			s.countsPanics(1)
		})
	}
}

// TestAnswerTwiceInOneHandler is a mistake of the program's, and costs no more than
// its connection.
func TestAnswerTwiceInOneHandler(t *testing.T) {
	for name, h := range map[string]http1.Handler{
		"Defer":  func(w *http1.Response, _ *http1.Request) { w.Defer(); w.Defer() },
		"Stream": func(w *http1.Response, _ *http1.Request) { w.Stream(); w.Stream() },
	} {
		s := serve(t, func(w *http1.Response, r *http1.Request) {
			if string(r.Path()) != "/good" {
				h(w, r)
			}
		}, http1.Options{HandlerTimeout: 5 * time.Second})
		c := s.dial()
		c.send(get("/"))
		if a, err := c.read("GET"); err == nil && a.status != 500 {
			t.Errorf("%s twice: status %d", name, a.status)
		}
		expect(t, "status of another", s.get("/good", "").status, 200)
	}
}
