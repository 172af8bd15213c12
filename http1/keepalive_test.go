package http1_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/loop"
)

// TestKeepAlivesDisabled: idle connections end, later answers say that they are the last.
func TestKeepAlivesDisabled(t *testing.T) {
	s := serve(t, write("hello"), http1.Options{})
	idle := s.dial()
	idle.send(get("/"))
	expect(t, "Connection", idle.answer("GET").field("Connection"), "")
	s.http.SetKeepAlivesEnabled(false)
	idle.closed()
	c := s.dial()
	c.send(get("/") + get("/"))
	expect(t, "Connection", c.answer("GET").field("Connection"), "close")
	c.closed()
	s.http.SetKeepAlivesEnabled(true)
	expect(t, "Connection", s.get("/", "").field("Connection"), "")
}

// TestConnectionsHaveAValueAndStates: those of OnOpen and ConnState.
func TestConnectionsHaveAValueAndStates(t *testing.T) {
	var mu sync.Mutex
	var seen []http.ConnState
	ended := make(chan bool, 1)
	type value struct{ requests int }
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		v := r.ConnValue().(*value)
		if v.requests++; v.requests == 2 {
			w.Defer().Respond(func(w *http1.Response) { w.WriteString("second") })
		}
	}, http1.Options{
		OnOpen: func(c *loop.Conn) any { return new(value) },
		ConnState: func(v any, state http.ConnState) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, state)
			if state == http.StateClosed {
				expect(t, "requests", v.(*value).requests, 3)
				ended <- true
			}
		},
	})
	c := s.dial()
	for range 3 {
		c.send(get("/"))
		c.answer("GET")
	}
	c.conn.Close()
	await(t, "the end of the connection", ended)
	mu.Lock()
	defer mu.Unlock()
	want := slices.Repeat([]http.ConnState{http.StateActive, http.StateIdle}, 3)
	if want = append(want, http.StateClosed); !slices.Equal(seen, want) {
		t.Errorf("states %v, want %v", seen, want)
	}
}
