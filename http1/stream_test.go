package http1_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/eddynet/eddy/http1"
)

// pieces is a handler that streams these, the first at once, the others later.
func pieces(t *testing.T, setup func(w *http1.Response), list ...string) http1.Handler {
	return func(w *http1.Response, _ *http1.Request) {
		if setup != nil {
			setup(w)
		}
		s := w.Stream()
		var next func(i int)
		next = func(i int) {
			if i == len(list) {
				if err := s.Finish(); err != nil {
					t.Error(err)
				}
				return
			}
			if _, err := s.Write([]byte(list[i])); err != nil {
				t.Error(err)
			}
			if i == 0 {
				next(1)
				return
			}
			w.Loop().After(2*time.Millisecond, func() { next(i + 1) })
		}
		next(0)
	}
}

func TestStreamIsChunked(t *testing.T) {
	s := serve(t, pieces(t, nil, "hel", "lo", "", " world"), http1.Options{})
	c := s.dial()
	c.send(get("/") + get("/"))
	for range 2 { // the second waits for its turn
		a := c.answer("GET")
		expect(t, "framing", a.framing, "chunked")
		expect(t, "body", string(a.body), "hello world")
		expect(t, "Connection", a.field("Connection"), "")
	}
}

func TestStreamWithALength(t *testing.T) {
	s := serve(t, pieces(t, func(w *http1.Response) { w.SetLength(11) }, "hel", "lo", "", " world"), http1.Options{})
	c := s.dial()
	c.send(get("/") + "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + get("/"))
	for range 3 {
		a := c.answer("GET")
		expect(t, "framing", a.framing, "length")
		expect(t, "body", string(a.body), "hello world")
	}
}

// TestStreamToHTTP10EndsWithTheConnection: rule 98, whatever the client asked for.
func TestStreamToHTTP10EndsWithTheConnection(t *testing.T) {
	s := serve(t, pieces(t, nil, "hel", "lo"), http1.Options{})
	for _, fields := range []string{"", "Connection: keep-alive\r\n", "TE: chunked\r\n"} {
		c := s.dial()
		c.send("GET / HTTP/1.0\r\n" + fields + "\r\n" + get("/"))
		a := c.answer("GET")
		expect(t, "framing", a.framing, "close")
		expect(t, "body", string(a.body), "hello")
		expect(t, "Connection", a.field("Connection"), "close")
		c.closed()
	}
}

func TestStreamToHead(t *testing.T) {
	for _, length := range []int64{-1, 5} {
		s := serve(t, pieces(t, func(w *http1.Response) { w.SetLength(length) }, "hel", "lo"), http1.Options{})
		c := s.dial()
		c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + get("/"))
		head, a := c.answer("HEAD"), c.answer("GET")
		for _, name := range []string{"Content-Length", "Transfer-Encoding"} {
			expect(t, name, head.field(name), a.field(name))
		}
		expect(t, "body behind it", string(a.body), "hello")
	}
}

// TestStreamSendsWhatWasWrittenBefore: in front of its pieces.
func TestStreamSendsWhatWasWrittenBefore(t *testing.T) {
	s := serve(t, pieces(t, func(w *http1.Response) { w.WriteString("oh ") }, "hel", "lo"), http1.Options{})
	expect(t, "body", string(s.get("/", "").body), "oh hello")
}

// TestStreamOfTheWrongLength: ErrLength, and no answer that looks whole to the client.
func TestStreamOfTheWrongLength(t *testing.T) {
	type errs struct{ write, finish error }
	for _, c := range []struct {
		name   string
		length int64
		pieces []string
	}{
		{"too few", 10, []string{"hello"}},
		{"none", 1, nil},
		{"too many at once", 3, []string{"hello"}},
		{"too many in the end", 5, []string{"hello", "!"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ch := make(chan errs, 1)
			s := serve(t, func(w *http1.Response, _ *http1.Request) {
				w.SetLength(c.length)
				stream := w.Stream()
				w.Loop().After(10*time.Millisecond, func() {
					var e errs
					for _, p := range c.pieces {
						if _, err := stream.Write([]byte(p)); err != nil {
							e.write = err
						}
					}
					e.finish = stream.Finish()
					ch <- e
				})
			}, http1.Options{})
			client := s.dial()
			client.send(get("/"))
			a, err := client.read("GET")
			if err == nil {
				t.Errorf("the client sees a whole body: %q", a.body)
			}
			e := await(t, "the end of the stream", ch)
			if !errors.Is(e.write, http1.ErrLength) && !errors.Is(e.finish, http1.ErrLength) {
				t.Errorf("Write: %v, Finish: %v", e.write, e.finish)
			}
		})
	}
}

// TestStreamAbort: the client cannot take what it got for whole.
func TestStreamAbort(t *testing.T) {
	for _, version := range []string{"1.0", "1.1"} {
		s := serve(t, func(w *http1.Response, _ *http1.Request) {
			stream := w.Stream()
			stream.Write([]byte("hello"))
			w.Loop().After(10*time.Millisecond, stream.Abort)
		}, http1.Options{})
		c := s.dial()
		c.send("GET / HTTP/" + version + "\r\nHost: a\r\n\r\n")
		if a, err := c.read("GET"); err == nil {
			t.Errorf("HTTP/%s: the client sees a whole body: %q", version, a.body)
		}
	}
}

// TestStreamHasAnEnd: after Finish and after the client's departure nothing is taken.
func TestStreamHasAnEnd(t *testing.T) {
	type end struct{ write, finish error }
	ch := make(chan end, 1)
	tell := func(s *http1.Stream) {
		var e end
		_, e.write = s.Write([]byte("more"))
		e.finish = s.Finish()
		ch <- e
	}
	streams := make(chan *http1.Stream, 1)
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		stream := w.Stream()
		if string(r.Path()) == "/finish" {
			stream.Finish()
			tell(stream)
			return
		}
		stream.Write([]byte("hello"))
		w.Loop().After(100*time.Millisecond, func() { tell(stream) })
		streams <- stream
	}, http1.Options{})
	c := s.dial()
	c.send(get("/finish"))
	expect(t, "body", string(c.answer("GET").body), "")
	e := await(t, "the stream", ch)
	expect(t, "Write behind Finish", e.write, http1.ErrStreamEnded)
	expect(t, "Finish behind Finish", e.finish, http1.ErrStreamEnded)

	c = s.dial()
	c.send(get("/"))
	await(t, "the stream", streams)
	c.breakOff()
	e = await(t, "the stream", ch)
	if e.write == nil || e.finish == nil {
		t.Errorf("behind a reset: Write %v, Finish %v", e.write, e.finish)
	}
}

// TestStreamThatRestsIsAborted: after HandlerTimeout.
func TestStreamThatRestsIsAborted(t *testing.T) {
	s := inMemory(t, func(w *http1.Response, _ *http1.Request) { w.Stream().Write([]byte("hello")) },
		http1.Options{HandlerTimeout: shortly})
	c := s.dial()
	c.send(get("/"))
	s.pass(shortly - time.Millisecond)
	expect(t, "end before the deadline", c.memory().EOF(), false)
	s.pass(2 * time.Millisecond)
	if a, err := c.read("GET"); err == nil {
		t.Errorf("the client sees a whole body: %q", a.body)
	}
}

// pattern is n bytes that show where one is missing.
func pattern(n int) []byte {
	p := make([]byte, 0, n+8)
	for i := 0; len(p) < n; i++ {
		p = append(p, byte(i), byte(i>>8), byte(i>>16), byte(i*7))
	}
	return p[:n]
}

// pump is a handler that streams p while there is room.
func pump(p []byte, length bool) http1.Handler {
	return func(w *http1.Response, _ *http1.Request) {
		if length {
			w.SetLength(int64(len(p)))
		}
		rest := p
		s := w.Stream()
		more := func() {
			for len(rest) > 0 && s.Room() {
				n := min(len(rest), 20<<10)
				if _, err := s.Write(rest[:n]); err != nil {
					return // the client will miss it
				}
				rest = rest[n:]
			}
			if len(rest) == 0 && s.Room() {
				s.Finish()
			}
		}
		s.OnReady(more)
		more()
	}
}

// TestStreamToAFastReader: it takes everything at once, and OnReady is still called.
func TestStreamToAFastReader(t *testing.T) {
	want := pattern(16 << 20)
	for _, length := range []bool{false, true} {
		s := serve(t, pump(want, length), http1.Options{})
		if a := s.get("/", ""); !bytes.Equal(a.body, want) {
			t.Errorf("length announced %v: the body differs", length)
		}
	}
}
