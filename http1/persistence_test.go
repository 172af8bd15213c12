package http1_test

import (
	"testing"

	"github.com/eddynet/eddy/http1"
)

// TestHandlerEndsTheConnection: rule 107, from the server's side.
func TestHandlerEndsTheConnection(t *testing.T) {
	s := inMemory(t, func(w *http1.Response, _ *http1.Request) {
		if err := w.SetHeader("connection", "Close"); err != nil {
			t.Error(err)
		}
	}, http1.Options{})
	c := s.dial()
	c.send(get("/1") + get("/2"))
	expect(t, "Connection", c.answer("GET").field("Connection"), "close")
	c.closed()
}

// TestNothingIsSaidWhereHTTP11Persists: to persist is the rule.
func TestNothingIsSaidWhereHTTP11Persists(t *testing.T) {
	s := inMemory(t, write("x"), http1.Options{})
	expect(t, "fields named Connection", len(s.get("/", "").all("Connection")), 0)
}

// TestKeepAliveIsEchoedToHTTP10: rule 108.
func TestKeepAliveIsEchoedToHTTP10(t *testing.T) {
	s := inMemory(t, write("x"), http1.Options{})
	c := s.dial()
	for range 3 {
		c.send("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
		a := c.answer("GET")
		expect(t, "Connection", a.field("Connection"), "keep-alive")
		expect(t, "framing", a.framing, "length")
	}
	c.send("GET / HTTP/1.0\r\n\r\n")
	expect(t, "Connection at the end", c.answer("GET").field("Connection"), "close")
	c.closed()
}

// TestErrorsDoNotKeepHTTP10Alive: rule 116.
func TestErrorsDoNotKeepHTTP10Alive(t *testing.T) {
	s := inMemory(t, write("x"), http1.Options{})
	c := s.dial()
	c.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\nX : 1\r\n\r\n")
	a := c.answer("GET")
	expect(t, "status", a.status, 400)
	expect(t, "Connection", a.field("Connection"), "close")
	c.closed()
}

// TestManyRequestsOnOneConnection passes the budget of one turn, and the water marks.
func TestManyRequestsOnOneConnection(t *testing.T) {
	s := serve(t, func(w *http1.Response, r *http1.Request) { w.Write(r.Path()) }, http1.Options{})
	c := s.dial()
	const total = 20000
	go func() {
		for i := range total {
			if _, err := c.conn.Write([]byte(get(path(i)))); err != nil {
				return // the reader will tell
			}
		}
	}()
	for i := range total {
		if got := string(c.answer("GET").body); got != path(i) {
			t.Fatalf("answer %d is to %s", i, got)
		}
	}
}

func path(i int) string { return "/" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) }
