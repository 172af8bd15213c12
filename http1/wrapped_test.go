package http1_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/eddynet/eddy/eddytest"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/loop"
)

// wrapper embeds a handler, and so hides what else it may have.
type wrapper struct{ loop.Handler }

// A wrapper loses nothing of a server: options, deadlines, counts, ends.
func TestWrappedServerKeepsItsBehaviour(t *testing.T) {
	server, err := http1.New(write("hello"), http1.Options{IdleTimeout: time.Minute, ServerName: "wrapped"})
	if err != nil {
		t.Fatal(err)
	}
	s := eddytest.NewServer(t, func(c *loop.Conn) loop.Handler {
		h := wrapper{server.Open(c)}
		settings := *c.Settings()
		c.SetSettings(&settings)
		return h
	})
	r, _ := http.NewRequest("GET", "http://a/", nil)
	do := func(c *eddytest.Conn) *http.Response {
		t.Helper()
		w, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	idle := s.Dial()
	before := do(idle).Header
	expect(t, "Server", before.Get("Server"), "wrapped")
	s.Advance(61 * time.Second)
	expect(t, "closed after IdleTimeout", idle.EOF(), true)

	kept := s.Dial()
	expect(t, "Close", do(kept).Close, false)
	server.SetKeepAlivesEnabled(false)
	s.Run()
	expect(t, "closed before the grace is over", kept.EOF(), false)
	s.Advance(time.Second)
	expect(t, "closed after the grace", kept.EOF(), true)
	server.SetKeepAlivesEnabled(true)

	drained := s.Dial()
	do(drained)
	s.Drain()
	expect(t, "the answer in a drain announces the end", do(drained).Close, true)
	expect(t, "closed with its answer", drained.EOF(), true)
	expect(t, "requests", server.Stats().Requests, 4)
}
