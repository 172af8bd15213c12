package http1_test

import (
	"testing"
	"time"

	"github.com/eddynet/eddy/http1"
)

// In these tests a deadline is far enough from the other options' for its effect to
// be told apart.
const (
	shortly = 150 * time.Millisecond
	late    = time.Hour
)

// quietFor lets d pass, within the error of the loop's timers, and expects that nothing
// comes before. In memory only.
func (c *client) quietFor(d time.Duration) {
	c.t.Helper()
	c.quiet(d - time.Millisecond)
	c.server.pass(2 * time.Millisecond)
}

// TestSlowHeadIsTold: rule 114. The bytes that still come do not move the deadline.
func TestSlowHeadIsTold(t *testing.T) {
	s := inMemory(t, describe, http1.Options{ReadHeaderTimeout: shortly, IdleTimeout: late})
	for _, request := range []string{"G", "\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: "} {
		c := s.dial()
		c.send(request)
		c.quiet(shortly / 2)
		if request == "G" {
			c.send("E")
		}
		c.quietFor(shortly / 2)
		a := c.answer("GET")
		expect(t, "status", a.status, 408)
		expect(t, "Connection", a.field("Connection"), "close")
		c.closed()
	}
}

// TestSlowHeadOfALaterRequestIsTold: not only that of the first one.
func TestSlowHeadOfALaterRequestIsTold(t *testing.T) {
	s := inMemory(t, describe, http1.Options{ReadHeaderTimeout: shortly, IdleTimeout: late})
	c := s.dial()
	c.send(get("/"))
	expect(t, "status", c.answer("GET").status, 200)
	c.quiet(2 * shortly) // idle: another deadline
	c.send("GET /")
	c.quietFor(shortly)
	expect(t, "status", c.answer("GET").status, 408)
	c.closed()
}

// TestSlowBodyIsTold: rule 114.
func TestSlowBodyIsTold(t *testing.T) {
	s := inMemory(t, describe, http1.Options{ReadTimeout: shortly, ReadHeaderTimeout: late, IdleTimeout: late})
	for _, request := range []string{
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell",
		postChunked,
		postChunked + "5\r\nhe",
		postChunked + "0\r\nX: ",
	} {
		c := s.dial()
		c.send(request)
		c.quietFor(shortly)
		a := c.answer("POST")
		expect(t, "status", a.status, 408)
		expect(t, "Connection", a.field("Connection"), "close")
		c.closed()
	}
}

// TestBodyBelowTheRateIsTold: rule 114: a byte now and then does not keep a
// connection.
func TestBodyBelowTheRateIsTold(t *testing.T) {
	s := inMemory(t, describe, http1.Options{ReadTimeout: shortly, MinBodyRate: 1 << 20})
	c := s.dial()
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
	for range 9 {
		c.quiet(shortly / 10)
		c.send("x")
	}
	c.quietFor(shortly / 10)
	expect(t, "status", c.answer("POST").status, 408)
	c.closed()
}

// TestBodyAboveTheRateMayTakeLonger: each MinBodyRate bytes are worth a second.
func TestBodyAboveTheRateMayTakeLonger(t *testing.T) {
	s := inMemory(t, echoBody, http1.Options{ReadTimeout: shortly, MinBodyRate: 1})
	c := s.dial()
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n" + "twenty bytes of body")
	c.quiet(20 * time.Second)
	c.send("0123456789")
	a := c.answer("POST")
	expect(t, "status", a.status, 200)
	expect(t, "body", string(a.body), "twenty bytes of body0123456789")
}

// TestIdleConnectionClosesSilently: rule 114.
func TestIdleConnectionClosesSilently(t *testing.T) {
	s := inMemory(t, describe, http1.Options{IdleTimeout: shortly, ReadHeaderTimeout: late})
	c := s.dial()
	c.send(get("/"))
	expect(t, "status", c.answer("GET").status, 200)
	c.quiet(shortly / 2)
	c.send(get("/"))
	expect(t, "status", c.answer("GET").status, 200)
	c.quietFor(shortly)
	c.closed()
}

// TestNewConnectionClosesSilently: rule 114. It is ended by the shorter deadline.
func TestNewConnectionClosesSilently(t *testing.T) {
	for _, o := range []http1.Options{
		{IdleTimeout: shortly, ReadHeaderTimeout: late},
		{IdleTimeout: late, ReadHeaderTimeout: shortly},
	} {
		s := inMemory(t, describe, o)
		c := s.dial()
		c.quietFor(shortly)
		c.closed()
	}
}

// TestDeadlineOfTheRequestEndsWithIt: what bounded a head or a body does not touch
// what follows.
func TestDeadlineOfTheRequestEndsWithIt(t *testing.T) {
	s := inMemory(t, echoBody, http1.Options{ReadTimeout: shortly, ReadHeaderTimeout: shortly, IdleTimeout: late})
	c := s.dial()
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-")
	c.quiet(shortly / 3)
	c.send("Length: 5\r\n\r\nhel")
	c.quiet(shortly / 3)
	c.send("lo")
	expect(t, "status", c.answer("POST").status, 200)
	c.quiet(2 * shortly)
	c.send(get("/"))
	expect(t, "status", c.answer("GET").status, 200)
}
