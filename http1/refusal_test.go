package http1_test

import (
	"testing"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// TestRefusalBeyondMaxConns: with MaxRefusals, clients beyond MaxConns get a whole answer
// to their request, and are served when there is room again.
func TestRefusalBeyondMaxConns(t *testing.T) {
	s := serveWith(t, write("served"), http1.Options{}, eddy.Options{Loops: 1, MaxConns: 1, MaxRefusals: 2})
	first := s.dial()
	first.send(get("/"))
	expect(t, "status", first.answer("GET").status, 200)
	for _, method := range []string{"GET", "HEAD", "POST"} {
		c := s.dial()
		c.send(method + " / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + get("/behind"))
		a := c.answer(method)
		expect(t, "status of "+method, a.status, 503)
		expect(t, "Retry-After", a.field("Retry-After"), "1")
		expect(t, "Connection", a.field("Connection"), "close")
		c.closed()
		c.conn.Close()
	}
	c := s.dial()
	c.send("nonsense\r\n\r\n")
	expect(t, "status of what is no request", c.answer("GET").status, 400)
	c.closed()
	c.conn.Close()
	first.send(get("/"))
	expect(t, "status of the one that was served", first.answer("GET").status, 200)
}
