package http1_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddynet/eddy/http1"
)

// deferrals is a handler that hands its deferred answers out.
func deferrals() (http1.Handler, <-chan *http1.Deferred) {
	ch := make(chan *http1.Deferred, 1000)
	return func(w *http1.Response, _ *http1.Request) { ch <- w.Defer() }, ch
}

func respond(s string) func(w *http1.Response) {
	return func(w *http1.Response) { w.WriteString(s) }
}

// TestDeferredAnswersKeepTheirOrder: rule 109. Some answers come at once, others after
// a while, from other goroutines.
func TestDeferredAnswersKeepTheirOrder(t *testing.T) {
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		target := string(r.Target())
		switch delay := rand.IntN(4); delay {
		case 0:
			w.WriteString(target)
		case 1: // before the handler has returned
			d := w.Defer()
			if err := d.Respond(respond(target)); err != nil {
				t.Error(err)
			}
		default:
			d := w.Defer()
			go func() {
				time.Sleep(time.Duration(rand.IntN(delay * int(time.Millisecond))))
				if err := d.Respond(respond(target)); err != nil {
					t.Error(err)
				}
			}()
		}
	}, http1.Options{})
	var work sync.WaitGroup
	for n := range 8 {
		c := s.dial()
		work.Go(func() {
			const total = 100
			var requests strings.Builder
			for i := range total {
				requests.WriteString(get(fmt.Sprintf("/%d/%d", n, i)))
			}
			if _, err := c.conn.Write([]byte(requests.String())); err != nil {
				t.Error(err)
			}
			for i := range total {
				a, err := c.read("GET")
				if err != nil {
					t.Error(err)
					return
				}
				expect(t, "body", string(a.body), fmt.Sprintf("/%d/%d", n, i))
			}
		})
	}
	work.Wait()
}

// TestRequestsBehindADeferredOneWait: they are not even parsed, so a bad one is met
// only after the answer.
func TestRequestsBehindADeferredOneWait(t *testing.T) {
	var seen atomic.Int32
	ch := make(chan *http1.Deferred, 1)
	s := inMemory(t, func(w *http1.Response, r *http1.Request) {
		seen.Add(1)
		if string(r.Path()) == "/wait" {
			ch <- w.Defer()
		}
	}, http1.Options{})
	c := s.dial()
	c.send(get("/wait") + get("/2"))
	d := await(t, "the first request", ch)
	c.send(get("/3") + "BAD\r\n")
	c.quiet(50 * time.Millisecond)
	expect(t, "requests seen", seen.Load(), 1)
	if err := d.Respond(respond("late")); err != nil {
		t.Error(err)
	}
	expect(t, "first body", string(c.answer("GET").body), "late")
	for range 2 {
		expect(t, "status", c.answer("GET").status, 200)
	}
	expect(t, "last status", c.answer("GET").status, 400)
	c.closed()
	expect(t, "requests seen in the end", seen.Load(), 3)
}

// TestDeferredTwice: of many who answer, one does.
func TestDeferredTwice(t *testing.T) {
	h, ch := deferrals()
	s := serve(t, h, http1.Options{})
	c := s.dial()
	c.send(get("/"))
	d := await(t, "the request", ch)
	var work sync.WaitGroup
	var first, refused atomic.Int32
	for i := range 16 {
		work.Go(func() {
			switch err := d.Respond(respond(fmt.Sprint(i))); {
			case err == nil:
				first.Add(1)
			case errors.Is(err, http1.ErrAnswered):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	work.Wait()
	expect(t, "answered", first.Load(), 1)
	expect(t, "refused", refused.Load(), 15)
	expect(t, "status", c.answer("GET").status, 200)
	c.quiet(20 * time.Millisecond)
}

// TestDeferredDeadline: 503, and whoever still works on the answer is told.
func TestDeferredDeadline(t *testing.T) {
	for name, o := range map[string]http1.Options{"option": {HandlerTimeout: shortly}, "own": {}} {
		ch := make(chan *http1.Deferred, 1)
		s := inMemory(t, func(w *http1.Response, _ *http1.Request) {
			w.SetHeader("X", "left over")
			w.WriteString("left over")
			if name == "own" {
				d := w.Defer()
				d.SetTimeout(shortly, nil)
				ch <- d
			} else {
				ch <- w.Defer()
			}
		}, o)
		c := s.dial()
		c.send(get("/"))
		d := await(t, "the request", ch)
		c.quietFor(shortly)
		a := c.answer("GET")
		expect(t, "status", a.status, 503)
		expect(t, "X", a.field("X"), "")
		expect(t, "Connection", a.field("Connection"), "close")
		c.closed()
		await(t, "the context", d.Context().Done())
		expect(t, "cause", context.Cause(d.Context()), context.DeadlineExceeded)
		if err := d.Respond(respond("too late")); !errors.Is(err, http1.ErrAnswered) {
			t.Errorf("Respond behind the deadline: %v", err)
		}
	}
}

// TestDeferredAnswerOfTheDeadline: the function of SetTimeout answers in place of 503, and the
// connection goes on.
func TestDeferredAnswerOfTheDeadline(t *testing.T) {
	late := make(chan error, 1)
	s := inMemory(t, func(w *http1.Response, _ *http1.Request) {
		d := w.Defer()
		d.SetTimeout(shortly, func(w *http1.Response) {
			late <- context.Cause(d.Context())
			if err := w.SetStatus(204); err != nil {
				t.Error(err)
			}
		})
	}, http1.Options{})
	c := s.dial()
	for range 2 {
		c.send(get("/"))
		c.quietFor(shortly)
		a := c.answer("GET")
		expect(t, "status", a.status, 204)
		expect(t, "Connection", a.field("Connection"), "")
		expect(t, "cause", await(t, "SetTimeout", late), context.DeadlineExceeded)
	}
}

// TestRequestOutlivesTheAnswerOfTheDeadline: a goroutine that works on the answer goes on
// reading its request, while the connection serves others.
func TestRequestOutlivesTheAnswerOfTheDeadline(t *testing.T) {
	working := make(chan struct{})
	ended := make(chan string, 1)
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) != "/late" {
			w.Write(r.Target())
			return
		}
		d := w.Defer()
		d.SetTimeout(shortly, respond("too late"))
		go func() {
			for {
				select {
				case <-working:
					ended <- string(r.Target()) + string(r.Body())
					return
				default:
					_ = string(r.Target()) + string(r.Body())
				}
			}
		}()
	}, http1.Options{})
	c := s.dial()
	c.send("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody")
	expect(t, "answer", string(c.answer("POST").body), "too late")
	for i := range 20 {
		target := fmt.Sprint("/other/", i)
		c.send(get(target))
		expect(t, "answer behind it", string(c.answer("GET").body), target)
	}
	close(working)
	expect(t, "the late request", await(t, "its goroutine", ended), "/latebody")
	if err := c.conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	c.closed()
}

// TestDeferredDrop: the connection ends without a byte, and later answers are refused.
func TestDeferredDrop(t *testing.T) {
	h, ch := deferrals()
	s := serve(t, h, http1.Options{})
	for _, halfClosed := range []bool{false, true} {
		c := s.dial()
		c.send(get("/") + get("/behind"))
		d := await(t, "the request", ch)
		if halfClosed {
			if err := c.conn.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			await(t, "the context", d.Context().Done())
		}
		expect(t, "Respond", d.Respond((*http1.Response).Drop), nil)
		c.closed()
		expect(t, "Respond behind it", d.Respond(respond("x")), http1.ErrAnswered)
		expect(t, "Respond again", d.Respond((*http1.Response).Drop), http1.ErrAnswered)
	}
	c := s.dial()
	c.send(get("/"))
	d := await(t, "the request", ch)
	c.breakOff()
	await(t, "the context", d.Context().Done())
	expect(t, "Respond after the end of the connection", d.Respond((*http1.Response).Drop), http1.ErrClientGone)
}

// TestDeferredContextEndsWithTheAnswer: with context.Canceled.
func TestDeferredContextEndsWithTheAnswer(t *testing.T) {
	h, ch := deferrals()
	s := inMemory(t, h, http1.Options{})
	c := s.dial()
	c.send(get("/"))
	d := await(t, "the request", ch)
	ctx := d.Context()
	if ctx.Err() != nil {
		t.Error("the context has ended already")
	}
	if err := d.Respond(respond("x")); err != nil {
		t.Error(err)
	}
	c.answer("GET")
	await(t, "the context", ctx.Done())
	expect(t, "cause", context.Cause(ctx), context.Canceled)
}

// TestDeferredMayStream: the answer of Respond may be a stream.
func TestDeferredMayStream(t *testing.T) {
	h, ch := deferrals()
	s := serve(t, h, http1.Options{})
	c := s.dial()
	c.send(get("/") + get("/2"))
	for range 2 {
		d := await(t, "the request", ch)
		err := d.Respond(func(w *http1.Response) {
			stream := w.Stream()
			stream.Write([]byte("hel"))
			w.Loop().After(10*time.Millisecond, func() {
				stream.Write([]byte("lo"))
				stream.Finish()
			})
		})
		if err != nil {
			t.Error(err)
		}
		a := c.answer("GET")
		expect(t, "framing", a.framing, "chunked")
		expect(t, "body", string(a.body), "hello")
	}
}

// TestDeferredWithABody: what was written before the handler returned is part of the
// answer, and the request's body is still there.
func TestDeferredWithABody(t *testing.T) {
	for _, size := range []int{5, 100 << 10} {
		ch := make(chan *http1.Deferred, 1)
		s := inMemory(t, func(w *http1.Response, _ *http1.Request) {
			w.WriteString("body: ")
			ch <- w.Defer()
		}, http1.Options{})
		c := s.dial()
		body := strings.Repeat("x", size)
		c.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", size, body) + get("/2"))
		for _, want := range []string{"body: " + body, "body: "} {
			d := await(t, "the request", ch)
			err := d.Respond(func(w *http1.Response) { w.Write(w.Request().Body()) })
			if err != nil {
				t.Error(err)
			}
			if a := c.answer("POST"); string(a.body) != want {
				t.Errorf("got %d bytes, want %d", len(a.body), len(want))
			}
		}
	}
}

// TestDoInTheMiddleOfAnExchange: while there is one, and with nil afterwards.
func TestDoInTheMiddleOfAnExchange(t *testing.T) {
	h, ch := deferrals()
	s := serve(t, h, http1.Options{})
	there := func(d *http1.Deferred) bool {
		seen := make(chan bool, 1)
		expect(t, "Do", d.Do(func(w *http1.Response) { seen <- w != nil }), nil)
		return await(t, "the loop", seen)
	}
	c := s.dial()
	c.send(get("/") + get("/2"))
	d := await(t, "the request", ch)
	expect(t, "there", there(d), true)
	expect(t, "Respond", d.Respond(func(w *http1.Response) { w.Stream() }), nil)
	expect(t, "there, in a stream", there(d), true)
	expect(t, "Do", d.Do(func(w *http1.Response) { w.Drop() }), nil)
	expect(t, "there, at the end", there(d), false)

	c = s.dial() // an answer by Do is one
	c.send(get("/") + get("/2"))
	d = await(t, "the request", ch)
	expect(t, "Do", d.Do(func(w *http1.Response) { w.WriteString("done"); w.Finish() }), nil)
	expect(t, "answer", string(c.answer("GET").body), "done")
	expect(t, "there, after the answer", there(d), false)
	expect(t, "Respond", d.Respond(respond("x")), http1.ErrAnswered)
	await(t, "the end of the context", d.Context().Done())
	c.breakOff()
	d = await(t, "the second request", ch)
	await(t, "the context", d.Context().Done())
	expect(t, "there, without a client", there(d), false)
}

// TestOnGoneAfterTheServersOwnAnswer: nobody waits for another.
func TestOnGoneAfterTheServersOwnAnswer(t *testing.T) {
	gone := make(chan error, 10)
	s := inMemory(t, nothing, http1.Options{HandlerTimeout: shortly, OnHead: func(w *http1.Response, r *http1.Request) {
		d := w.Defer()
		d.OnGone(func(cause error) { gone <- cause })
		if string(r.Path()) == "/later" {
			d.SetTimeout(0, respond("later"))
		}
	}})
	c := s.dial()
	c.send(get("/later"))
	c.quietFor(shortly)
	expect(t, "status of the program's own", c.answer("GET").status, 200)
	c.send(get("/"))
	c.quietFor(shortly)
	expect(t, "status", c.answer("GET").status, 503)
	expect(t, "cause", await(t, "OnGone", gone), context.DeadlineExceeded)
	c = s.dial()
	c.send(postChunked + "broken")
	expect(t, "status", c.answer("POST").status, 400)
	expect(t, "cause", await(t, "OnGone", gone), context.Canceled)
	expect(t, "further calls", len(gone), 0)
}
