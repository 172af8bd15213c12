package nethttp_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/eddynet/eddy/eddytest"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/nethttp"
)

// timedWrites sets a write deadline that has passed, or passes, and tells what it sees
// then: the state of the context, and the errors of two writes, the second of which has a
// new deadline.
func timedWrites(at time.Duration, seen chan<- [3]error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		io.WriteString(w, "one")
		c.Flush()
		c.SetWriteDeadline(time.Now().Add(at))
		time.Sleep(max(0, at) + 20*time.Millisecond)
		context := r.Context().Err()
		write := func() error {
			_, err := io.WriteString(w, "two")
			return errors.Join(err, c.Flush())
		}
		first := write()
		c.SetWriteDeadline(time.Now().Add(time.Hour))
		seen <- [3]error{context, first, write()}
	}
}

// TestPassedWriteDeadline fails writes, for good. It leaves the context alone.
func TestPassedWriteDeadline(t *testing.T) {
	for name, at := range map[string]time.Duration{"past": -time.Hour, "future": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan [3]error, 1)
			onBoth(t, timedWrites(at, seen), func(t *testing.T, addr string) {
				conn, r := dialBoth(t, addr)
				io.WriteString(conn, get("/"))
				a, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(a.Body)
				expect(t, "body", string(body), "one")
				expect(t, "the end of it", err, io.ErrUnexpectedEOF)
				got := await(t, "the handler", seen)
				expect(t, "context", got[0], nil)
				for _, err := range got[1:] {
					if !errors.Is(err, os.ErrDeadlineExceeded) {
						t.Errorf("Write and Flush returned %v", err)
					}
				}
			})
		})
	}
}

// TestWriteTimeout is for the whole answer, from the end of the head.
func TestWriteTimeout(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			time.Sleep(100 * time.Millisecond)
		}
		io.WriteString(w, "answer")
	})
	onBothServers(t, func() *http.Server { return &http.Server{Handler: h, WriteTimeout: 50 * time.Millisecond} },
		func(t *testing.T, addr string) {
			expect(t, "in time", converse(t, addr, to("GET", "/")) != "no answer\n", true)
			expect(t, "late", converse(t, addr, to("GET", "/late")), "no answer\n")
		})
}

// TestReadTimeout: the handler learns of it, and answers.
func TestReadTimeout(t *testing.T) {
	read := make(chan error, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		read <- err
		io.WriteString(w, "answer")
	})
	onBothServers(t, func() *http.Server { return &http.Server{Handler: h, ReadTimeout: 100 * time.Millisecond} },
		func(t *testing.T, addr string) {
			conn, r := dialBoth(t, addr)
			io.WriteString(conn, to("POST", "/", "Content-Length: 10")+"abc")
			a, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, "status", a.StatusCode, 200)
			if err := await(t, "the reader", read); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the body ends with %v", err)
			}
		})
}

// TestSlowBodyIsADeadline: the engine's own timeout has the same error.
func TestSlowBodyIsADeadline(t *testing.T) {
	read := make(chan error, 1)
	s := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		read <- err
	}), http1.Options{ReadTimeout: 50 * time.Millisecond})
	c := s.dial()
	c.send(to("POST", "/", "Content-Length: 10") + "abc")
	expect(t, "status", c.answer("POST").status, 408)
	if err := await(t, "the reader", read); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the body ends with %v", err)
	}
}

// TestPassedReadDeadline is final for a chunked body.
func TestPassedReadDeadline(t *testing.T) {
	seen := make(chan [2]error, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		read := func() error { _, err := io.ReadAll(r.Body); return err }
		c.SetReadDeadline(time.Now().Add(-time.Hour))
		first := read()
		c.SetReadDeadline(time.Time{})
		seen <- [2]error{first, read()}
	})
	onBoth(t, h, func(t *testing.T, addr string) {
		conn, _ := dialBoth(t, addr)
		io.WriteString(conn, to("POST", "/", "Transfer-Encoding: chunked"))
		for _, err := range await(t, "the reader", seen) {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the body ends with %v", err)
			}
		}
	})
}

// TestDeadlinesFollowTheClock of the loop, which a test moves.
func TestDeadlinesFollowTheClock(t *testing.T) {
	read := make(chan error, 1)
	server, err := nethttp.NewServer(&http.Server{ReadTimeout: time.Hour, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(100)
		_, err := io.ReadAll(r.Body)
		read <- err
	})}, http1.Options{ReadTimeout: 2 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	s := eddytest.NewServer(t, server.Open)
	c := s.Dial()
	c.Send(to("POST", "/", "Content-Length: 10") + "abc")
	s.Advance(time.Hour - time.Second)
	select {
	case err := <-read:
		t.Fatalf("%v before the deadline", err)
	case <-time.After(10 * time.Millisecond):
	}
	s.Advance(time.Second)
	if err := await(t, "the reader", read); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the body ends with %v", err)
	}
}
