package main_test

import (
	"testing"

	"github.com/eddynet/eddy/examples/internal/program"
)

// The client sends no byte of its body before 100 Continue (RFC 9110 section 10.1.1).
func TestContinueComesBeforeTheBody(t *testing.T) {
	t.Parallel()
	p := start(t, "-max-body", "10")
	const expects, go100 = "Expect: 100-continue\r\n", "HTTP/1.1 100 Continue\r\n\r\n"
	c := p.dial()

	request := post("POST", "/echo", expects, "abc")
	c.Send(request[:len(request)-3])
	expect(t, "interim response", c.Text(len(go100)), go100)
	c.Send("abc")
	expect(t, "with a length", c.Answer("POST").Text, "abc")

	c.Send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" + expects + "\r\n")
	expect(t, "interim response", c.Text(len(go100)), go100)
	c.Send("3\r\nabc\r\n0\r\n\r\n")
	expect(t, "in chunks", c.Answer("POST").Text, "abc")

	c.Send(post("POST", "/echo", expects, ""))
	expect(t, "without a body to wait for", c.Answer("POST").StatusCode, 200)

	c.Send("POST /echo HTTP/1.0\r\nConnection: keep-alive\r\n" + expects + "Content-Length: 3\r\n\r\n")
	p.get("/plaintext")
	c.Send("abc")
	expect(t, "no interim response in HTTP/1.0", c.Answer("POST").Text, "abc")

	c.Send("POST /echo HTTP/1.1\r\nHost: a\r\n" + expects + "Content-Length: 11\r\n\r\n")
	expect(t, "too large", c.Answer("POST").StatusCode, 413)
	c.Ends()

	c = program.Dial(t, p.address)
	c.Send(post("POST", "/echo", "Expect: 200-ok\r\n", "abc"))
	expect(t, "another expectation", c.Answer("POST").StatusCode, 417)
}
