package http1_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// released counts calls of release functions.
type released chan string

func newReleased() released { return make(released, 100) }

func (r released) as(name string) func() { return func() { r <- name } }

// expect waits for these, in any order, and for no others.
func (r released) expect(t testing.TB, names ...string) {
	t.Helper()
	got := map[string]int{}
	for range names {
		got[await(t, fmt.Sprint("the release of ", names), r)]++
	}
	for _, name := range names {
		if got[name]--; got[name] < 0 {
			t.Errorf("%s was not released: %v", name, got)
		}
	}
	select {
	case name := <-r:
		t.Errorf("%s was released once more", name)
	case <-time.After(2 * time.Millisecond):
	}
}

// TestSetBodyIsSentAndReleased: each body once, whatever becomes of it.
func TestSetBodyIsSentAndReleased(t *testing.T) {
	large, small := pattern(3<<20), []byte("small")
	free := newReleased()
	pool := http1.NewPool(1, 1)
	t.Cleanup(pool.Close)
	for _, c := range []struct {
		name    string
		method  string
		handler http1.Handler
		status  int
		body    []byte
		names   []string
	}{
		{"large", "GET", func(w *http1.Response, _ *http1.Request) { w.SetBody(large, free.as("a")) }, 200, large, []string{"a"}},
		{"small", "GET", func(w *http1.Response, _ *http1.Request) { w.SetBody(small, free.as("a")) }, 200, small, []string{"a"}},
		{"empty", "GET", func(w *http1.Response, _ *http1.Request) { w.SetBody(nil, free.as("a")) }, 200, nil, []string{"a"}},
		{"no release", "GET", func(w *http1.Response, _ *http1.Request) { w.SetBody(large, nil) }, 200, large, nil},
		{"HEAD", "HEAD", func(w *http1.Response, _ *http1.Request) { w.SetBody(large, free.as("a")) }, 200, nil, []string{"a"}},
		{"204", "GET", func(w *http1.Response, _ *http1.Request) { w.SetStatus(204); w.SetBody(large, free.as("a")) }, 204, nil, []string{"a"}},
		{"304", "GET", func(w *http1.Response, _ *http1.Request) { w.SetStatus(304); w.SetBody(large, free.as("a")) }, 304, nil, []string{"a"}},
		{"in place of writes", "GET", func(w *http1.Response, _ *http1.Request) {
			w.WriteString("no")
			w.SetBody(large, free.as("a"))
			w.SetBody(small, free.as("b"))
		}, 200, small, []string{"a", "b"}},
		{"behind it", "GET", func(w *http1.Response, _ *http1.Request) {
			w.SetBody(large, free.as("a"))
			w.WriteString("!")
		}, 200, append(bytes.Clone(large), '!'), []string{"a"}},
		{"Reset", "GET", func(w *http1.Response, _ *http1.Request) {
			w.SetBody(large, free.as("a"))
			w.Reset()
			w.WriteString("ok")
		}, 200, []byte("ok"), []string{"a"}},
		{"panic", "GET", func(w *http1.Response, _ *http1.Request) {
			w.SetBody(large, free.as("a"))
			panic("on purpose")
		}, 500, []byte("Internal Server Error\n"), []string{"a"}},
		{"Blocking", "GET", http1.Blocking(func(w *http1.Response, _ *http1.Request) { w.SetBody(large, free.as("a")) }, pool), 200, large, []string{"a"}},
		{"Defer", "GET", func(w *http1.Response, _ *http1.Request) {
			d := w.Defer()
			w.SetBody(small, free.as("a"))
			go d.Respond(func(w *http1.Response) { w.SetBody(large, free.as("b")) })
		}, 200, large, []string{"a", "b"}},
		{"Stream", "GET", func(w *http1.Response, _ *http1.Request) {
			w.SetBody(small, free.as("a"))
			s := w.Stream()
			s.WriteOwned(large, free.as("b"))
			s.Finish()
			if err := s.WriteOwned(large, free.as("c")); !errors.Is(err, http1.ErrStreamEnded) {
				t.Error(err)
			}
		}, 200, append(bytes.Clone(small), large...), []string{"a", "b", "c"}},
		{"Stream with a length", "GET", func(w *http1.Response, _ *http1.Request) {
			w.SetLength(int64(len(large)))
			s := w.Stream()
			s.WriteOwned(large, free.as("a"))
			s.WriteOwned(nil, free.as("b"))
			s.Finish()
		}, 200, large, []string{"a", "b"}},
		{"Stream to HEAD", "HEAD", func(w *http1.Response, _ *http1.Request) {
			s := w.Stream()
			s.WriteOwned(large, free.as("a"))
			s.Finish()
		}, 200, nil, []string{"a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serveWith(t, c.handler, http1.Options{}, eddy.Options{MaxOutput: 256 << 10})
			conn := s.dial()
			conn.send(c.method + " / HTTP/1.1\r\nHost: a\r\n\r\n")
			a := conn.answer(c.method)
			expect(t, "status", a.status, c.status)
			if c.status == 200 && !bytes.Equal(a.body, c.body) {
				t.Errorf("a body of %d bytes, want %d", len(a.body), len(c.body))
			}
			free.expect(t, c.names...)
		})
	}
}

// TestSetBodyIsReleasedWhenTheClientGoes, in the middle of it and before the answer.
func TestSetBodyIsReleasedWhenTheClientGoes(t *testing.T) {
	free := newReleased()
	began := make(chan bool, 1)
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		began <- true
		switch string(r.Path()) {
		case "/large":
			w.SetBody(make([]byte, 64<<20), free.as("large"))
		case "/stream":
			st := w.Stream()
			st.WriteOwned(make([]byte, 64<<20), free.as("first"))
			st.WriteOwned(make([]byte, 10), free.as("beyond MaxOutput"))
		case "/deferred":
			w.SetBody(make([]byte, 1000), free.as("deferred"))
			w.Defer()
		}
	}, http1.Options{})
	for path, names := range map[string][]string{
		"/large": {"large"}, "/stream": {"first", "beyond MaxOutput"}, "/deferred": {"deferred"},
	} {
		c := s.dial()
		c.send(get(path))
		await(t, "the handler", began)
		if path == "/large" {
			io.ReadFull(c.conn, make([]byte, 1000))
		}
		c.breakOff()
		free.expect(t, names...)
	}
}

// TestWriteOwnedBeyondTheLength aborts, and releases.
func TestWriteOwnedBeyondTheLength(t *testing.T) {
	free := newReleased()
	s := serve(t, func(w *http1.Response, _ *http1.Request) {
		w.SetLength(5)
		if err := w.Stream().WriteOwned(make([]byte, 6), free.as("a")); !errors.Is(err, http1.ErrLength) {
			t.Error(err)
		}
	}, http1.Options{})
	c := s.dial()
	c.send(get("/"))
	free.expect(t, "a")
}

func TestPanicOfAReleaseIsNotASecondAnswer(t *testing.T) {
	s := serve(t, func(w *http1.Response, _ *http1.Request) {
		w.SetBody([]byte("small"), func() { panic("on purpose") })
		w.Finish()
	}, http1.Options{})
	c := s.dial()
	c.send(get("/"))
	c.socket().SetReadDeadline(time.Now().Add(10 * time.Second))
	all, _ := io.ReadAll(c.conn)
	if n := strings.Count(string(all), "HTTP/1.1 "); n > 1 {
		t.Errorf("%d answers to one request:\n%s", n, all)
	}
}

// What comes after the answer is released, though it is not sent.
func TestSetBodyAfterTheAnswerIsReleased(t *testing.T) {
	free := newReleased()
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		switch string(r.Path()) {
		case "/finish":
			w.WriteString("ok")
			w.Finish()
		case "/stream":
			st := w.Stream()
			defer st.Finish()
		}
		w.SetBody([]byte("x"), free.as("a"))
	}, http1.Options{})
	for _, p := range []string{"/finish", "/stream"} {
		c := s.dial()
		c.send(get(p))
		c.answer("GET")
		free.expect(t, "a")
	}
}
