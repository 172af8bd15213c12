package http1_test

import (
	"testing"
	"time"

	"github.com/eddynet/eddy/http1"
)

// In these tests a deadline is far enough from the other options' for its effect to
// be told apart, and nothing is said about how late it takes effect.
const (
	shortly = 150 * time.Millisecond
	late    = time.Hour
)

// notBefore expects that this much time has passed.
func notBefore(t *testing.T, start time.Time, d time.Duration) {
	t.Helper()
	if passed := time.Since(start); passed < d {
		t.Errorf("%v passed, want %v at least", passed, d)
	}
}

// TestSlowHeadIsTold: rule 114. The bytes that still come do not move the deadline.
func TestSlowHeadIsTold(t *testing.T) {
	s := serve(t, describe, http1.Options{ReadHeaderTimeout: shortly, IdleTimeout: late})
	for _, request := range []string{"G", "\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: "} {
		start := time.Now()
		c := s.dial()
		c.send(request)
		time.Sleep(shortly / 2)
		if request == "G" {
			c.send("E")
		}
		a := c.answer("GET")
		notBefore(t, start, shortly)
		expect(t, "status", a.status, 408)
		expect(t, "Connection", a.field("Connection"), "close")
		c.closed()
	}
}

// TestSlowHeadOfALaterRequestIsTold: not only that of the first one.
func TestSlowHeadOfALaterRequestIsTold(t *testing.T) {
	s := serve(t, describe, http1.Options{ReadHeaderTimeout: shortly, IdleTimeout: late})
	c := s.dial()
	c.send(get("/"))
	expect(t, "status", c.answer("GET").status, 200)
	c.quiet(2 * shortly) // idle: another deadline
	start := time.Now()
	c.send("GET /")
	expect(t, "status", c.answer("GET").status, 408)
	notBefore(t, start, shortly)
	c.closed()
}

// TestSlowBodyIsTold: rule 114.
func TestSlowBodyIsTold(t *testing.T) {
	s := serve(t, describe, http1.Options{ReadTimeout: shortly, ReadHeaderTimeout: late, IdleTimeout: late})
	for _, request := range []string{
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell",
		postChunked,
		postChunked + "5\r\nhe",
		postChunked + "0\r\nX: ",
	} {
		start := time.Now()
		c := s.dial()
		c.send(request)
		a := c.answer("POST")
		notBefore(t, start, shortly)
		expect(t, "status", a.status, 408)
		expect(t, "Connection", a.field("Connection"), "close")
		c.closed()
	}
}

// TestBodyBelowTheRateIsTold: rule 114: a byte now and then does not keep a
// connection.
func TestBodyBelowTheRateIsTold(t *testing.T) {
	s := serve(t, describe, http1.Options{ReadTimeout: shortly, MinBodyRate: 1 << 20})
	c := s.dial()
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
	start := time.Now()
	stop := make(chan struct{})
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for {
			select {
			case <-stop:
				return
			case <-time.After(shortly / 10):
				if _, err := c.conn.Write([]byte("x")); err != nil {
					return
				}
			}
		}
	}()
	expect(t, "status", c.answer("POST").status, 408)
	close(stop)
	<-sent
	if passed := time.Since(start); passed > patience/2 {
		t.Errorf("it took %v", passed)
	}
	c.closed()
}

// TestBodyAboveTheRateMayTakeLonger: each MinBodyRate bytes are worth a second.
func TestBodyAboveTheRateMayTakeLonger(t *testing.T) {
	s := serve(t, echoBody, http1.Options{ReadTimeout: shortly, MinBodyRate: 1})
	c := s.dial()
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n" + "twenty bytes of body")
	time.Sleep(2 * shortly)
	c.send("0123456789")
	a := c.answer("POST")
	expect(t, "status", a.status, 200)
	expect(t, "body", string(a.body), "twenty bytes of body0123456789")
}

// TestIdleConnectionClosesSilently: rule 114.
func TestIdleConnectionClosesSilently(t *testing.T) {
	s := serve(t, describe, http1.Options{IdleTimeout: shortly, ReadHeaderTimeout: late})
	c := s.dial()
	c.send(get("/"))
	expect(t, "status", c.answer("GET").status, 200)
	start := time.Now()
	c.send(get("/"))
	expect(t, "status", c.answer("GET").status, 200)
	c.closed()
	notBefore(t, start, shortly)
}

// TestNewConnectionClosesSilently: rule 114. It is ended by the shorter deadline.
func TestNewConnectionClosesSilently(t *testing.T) {
	for _, o := range []http1.Options{
		{IdleTimeout: shortly, ReadHeaderTimeout: late},
		{IdleTimeout: late, ReadHeaderTimeout: shortly},
	} {
		s := serve(t, describe, o)
		start := time.Now()
		c := s.dial()
		c.closed()
		notBefore(t, start, shortly-10*time.Millisecond) // the loop's clock stands still within a cycle
	}
}

// TestDeadlineOfTheRequestEndsWithIt: what bounded a head or a body does not touch
// what follows.
func TestDeadlineOfTheRequestEndsWithIt(t *testing.T) {
	s := serve(t, echoBody, http1.Options{ReadTimeout: shortly, ReadHeaderTimeout: shortly, IdleTimeout: late})
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
