package http1_test

import (
	"testing"
	"time"

	"github.com/eddynet/eddy/http1"
)

const expectFive = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"

func echoBody(w *http1.Response, r *http1.Request) { w.Write(r.Body()) }

// TestContinueComesBeforeTheBody: rule 91.
func TestContinueComesBeforeTheBody(t *testing.T) {
	s := inMemory(t, echoBody, http1.Options{})
	for _, head := range []string{
		expectFive,
		"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-CONTINUE\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		c := s.dial()
		for range 2 { // on one connection: nothing is left over from the first
			c.send(head)
			expect(t, "status", c.answer("POST").line, "HTTP/1.1 100 Continue")
			body := "hello"
			if head != expectFive {
				body = "5\r\nhello\r\n0\r\n\r\n"
			}
			c.send(body[:3])
			c.quiet(time.Second) // 100 comes once
			c.send(body[3:])
			a := c.answer("POST")
			expect(t, "status", a.status, 200)
			expect(t, "body", string(a.body), "hello")
		}
	}
}

// TestContinueIsLeftOutWhenTheBodyIsHere: rule 92.
func TestContinueIsLeftOutWhenTheBodyIsHere(t *testing.T) {
	s := inMemory(t, echoBody, http1.Options{})
	c := s.dial()
	c.send(expectFive + "hello")
	expect(t, "status with the whole body", c.answer("POST").status, 200)
	c.send(expectFive + "he")
	c.quiet(time.Second)
	c.send("llo")
	expect(t, "status with a part of it", c.answer("POST").status, 200)
}

// TestNoContinueForARefusedRequest: rule 93: the final answer comes at once, in place
// of 100.
func TestNoContinueForARefusedRequest(t *testing.T) {
	s := inMemory(t, echoBody, http1.Options{MaxBodyBytes: 4})
	for _, c := range []struct {
		request string
		status  int
	}{
		{expectFive, 413},
		{"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n", 400},
		{"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, more\r\nContent-Length: 4\r\n\r\n", 417},
	} {
		conn := s.dial()
		conn.send(c.request)
		a := conn.answer("POST")
		expect(t, "status", a.status, c.status)
		expect(t, "Connection", a.field("Connection"), "close")
		conn.closed()
	}
}

// TestNoContinueToHTTP10: rule 94.
func TestNoContinueToHTTP10(t *testing.T) {
	s := inMemory(t, echoBody, http1.Options{})
	c := s.dial()
	c.send("POST / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
	c.quiet(time.Second)
	c.send("hello")
	a := c.answer("POST")
	expect(t, "status", a.status, 200)
	expect(t, "body", string(a.body), "hello")
}

// TestContinueComesInItsTurn: behind the answers to the requests before.
func TestContinueComesInItsTurn(t *testing.T) {
	s := inMemory(t, echoBody, http1.Options{})
	c := s.dial()
	c.send(get("/1") + expectFive)
	expect(t, "status of the first", c.answer("GET").status, 200)
	expect(t, "status of the second", c.answer("POST").status, 100)
	c.send("hello" + get("/3"))
	expect(t, "body of the second", string(c.answer("POST").body), "hello")
	expect(t, "status of the third", c.answer("GET").status, 200)
}

// TestSlowExpectingClientIsTold: a client that waits for ever after 100.
func TestSlowExpectingClientIsTold(t *testing.T) {
	s := inMemory(t, echoBody, http1.Options{ReadTimeout: 100 * time.Millisecond})
	c := s.dial()
	c.send(expectFive)
	expect(t, "first status", c.answer("POST").status, 100)
	c.quietFor(100 * time.Millisecond)
	expect(t, "second status", c.answer("POST").status, 408)
	c.closed()
}
