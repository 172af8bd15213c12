package http1_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// TestDeferredAnswerAfterHalfClose: rule 112. The context says that the client has
// stopped sending; the answer arrives all the same. Pipelined requests may stand
// before the FIN.
func TestDeferredAnswerAfterHalfClose(t *testing.T) {
	for _, pipelined := range []int{1, 3} {
		h, ch := deferrals()
		s := serve(t, h, http1.Options{})
		c := s.dial()
		c.send(strings.Repeat(get("/"), pipelined))
		if pipelined == 1 {
			time.Sleep(20 * time.Millisecond) // FIN comes by itself, or with the request
		}
		if err := c.conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		for range pipelined {
			d := await(t, "a request", ch)
			await(t, "the context", d.Context().Done())
			expect(t, "cause", context.Cause(d.Context()), http1.ErrClientGone)
			if err := d.Respond(respond("late")); err != nil {
				t.Error(err)
			}
			expect(t, "body", string(c.answer("GET").body), "late")
		}
		c.closed()
	}
}

// TestContextOfADeferredAnswerEndsWithTheConnection: a reset, with and without more
// input behind the request.
func TestContextOfADeferredAnswerEndsWithTheConnection(t *testing.T) {
	for _, more := range []string{"", get("/2"), "POST / HT"} {
		h, ch := deferrals()
		s := serve(t, h, http1.Options{})
		c := s.dial()
		c.send(get("/") + more)
		d := await(t, "the request", ch)
		c.breakOff()
		await(t, "the context", d.Context().Done())
		if cause := context.Cause(d.Context()); !errors.Is(cause, syscall.ECONNRESET) {
			t.Errorf("cause with %q behind: %v", more, cause)
		}
		if err := d.Respond(respond("nobody reads it")); err == nil {
			t.Error("Respond: no error although the client has gone")
		} else if errors.Is(err, http1.ErrAnswered) {
			t.Errorf("Respond: %v", err)
		}
		expect(t, "status of another client", s.getDeferred(ch), 200)
	}
}

// getDeferred is a whole deferred exchange, and returns its status.
func (s *server) getDeferred(ch <-chan *http1.Deferred) int {
	s.t.Helper()
	c := s.dial()
	c.send(get("/"))
	if err := await(s.t, "the request", ch).Respond(respond("x")); err != nil {
		s.t.Error(err)
	}
	return c.answer("GET").status
}

// TestRespondRacesWithDeparture: no crash, no foreign bytes, whoever is first.
func TestRespondRacesWithDeparture(t *testing.T) {
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		target := string(r.Target())
		if target == "/now" {
			w.WriteString(target)
			return
		}
		d := w.Defer()
		go func() { _ = d.Respond(respond(target)) }() // the client may have gone
	}, http1.Options{})
	var work sync.WaitGroup
	for n := range 8 {
		work.Go(func() {
			for i := range 100 {
				conn, err := s.connect()
				if err != nil {
					t.Error(err)
					return
				}
				c := newClient(conn)
				c.t = t
				target := fmt.Sprintf("/%d/%d", n, i)
				conn.Write([]byte(get(target)))
				if i%2 == 0 {
					c.breakOff()
					continue
				}
				if a, err := c.read("GET"); err != nil || string(a.body) != target {
					t.Errorf("%s: %v, %v", target, a, err)
				}
				conn.Close()
			}
		})
	}
	work.Wait()
	expect(t, "body", string(s.get("/now", "").body), "/now")
}

// TestDeferredRequestIsReadFromItsGoroutine: at once, while the handler returns.
func TestDeferredRequestIsReadFromItsGoroutine(t *testing.T) {
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		d := w.Defer()
		go func() {
			text := seen(r)
			if err := d.Respond(respond(text)); err != nil {
				t.Error(err)
			}
		}()
	}, http1.Options{})
	c := s.dial()
	for i := range 200 {
		head := fmt.Sprintf("/%d", i)
		c.send("POST " + head + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: 1\r\n\r\n" + get("/behind"))
		expect(t, "seen", string(c.answer("POST").body), "POST "+head+" HTTP/1.1 path="+head+" query= host=a\n"+
			"field Host \"a\"\nfield Transfer-Encoding \"chunked\"\nbody \"hello\"\ntrailer T \"1\"\n")
		expect(t, "status behind it", c.answer("GET").status, 200)
	}
}

// TestDeferredRequestOutlivesItsClient: a goroutine that works on an answer may read
// the request until it gives the answer, and reads no other client's.
func TestDeferredRequestOutlivesItsClient(t *testing.T) {
	type work struct {
		d *http1.Deferred
		r *http1.Request
	}
	ch := make(chan work, 1)
	s := serveWith(t, func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) == "/first" {
			ch <- work{w.Defer(), r}
			return
		}
		w.WriteString("x")
	}, http1.Options{HandlerTimeout: shortly}, eddy.Options{Loops: 1})
	const first = "POST /first HTTP/1.1\r\nHost: first\r\nContent-Length: 5\r\n\r\nfirst"
	for _, leave := range []func(*client){
		(*client).breakOff,
		func(c *client) { c.conn.Close() },
		func(c *client) { expect(t, "status", c.answer("POST").status, 503) }, // the deadline has answered
	} {
		c := s.dial()
		c.send(first)
		x := await(t, "the request", ch)
		before := seen(x.r)
		leave(c)
		await(t, "the context", x.d.Context().Done())
		for range 20 {
			other := s.dial()
			other.send("POST /other HTTP/1.1\r\nHost: other\r\nContent-Length: 5\r\n\r\nother")
			expect(t, "status", other.answer("POST").status, 200)
		}
		expect(t, "the request, later", seen(x.r), before)
		_ = x.d.Respond(respond("x")) // the client has gone
	}
}

// TestHalfCloseInsideARequest: rules 60 and 113: no answer, no handler.
func TestHalfCloseInsideARequest(t *testing.T) {
	s := inMemory(t, func(*http1.Response, *http1.Request) { t.Error("the handler was called") }, http1.Options{})
	for _, part := range []string{
		"", "GET", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell",
		postChunked + "5\r\nhello\r\n", postChunked + "5\r\nhello\r\n0\r\n",
	} {
		c := s.dial()
		c.send(part)
		if err := c.conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		c.closed()
	}
}
