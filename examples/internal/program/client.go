package program

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Client is a connection for raw requests and strictly parsed responses. It must be used
// by one goroutine at a time.
type Client struct {
	Conn net.Conn
	r    *bufio.Reader
	t    testing.TB
}

// Answer is a complete HTTP response.
type Answer struct {
	*http.Response
	Text string // the body
}

// Dial connects to an address in the format of examples/probe: unix:PATH for a Unix
// socket. The connection has a deadline of Patience, and is closed after the test.
func Dial(t testing.TB, address string) *Client {
	t.Helper()
	c, err := Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	c.t = t
	t.Cleanup(func() { c.Conn.Close() })
	return c
}

// Connect is Dial without a test, for other goroutines. Of the methods, only Do and
// Buffered may be called. The caller closes Conn.
func Connect(address string) (*Client, error) {
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	conn, err := net.DialTimeout(network, address, Patience)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(Patience)); err != nil {
		return nil, err
	}
	return &Client{Conn: conn, r: bufio.NewReader(conn)}, nil
}

// Do sends text, a complete request with that method, and reads the response. begun
// reports whether a byte of it was received.
func (c *Client) Do(method, text string) (a *Answer, begun bool, err error) {
	if _, err := io.WriteString(c.Conn, text); err != nil {
		return nil, false, err
	}
	if _, err := c.r.Peek(1); err != nil {
		return nil, false, err
	}
	a, err = c.read(method)
	return a, true, err
}

func (c *Client) read(method string) (*Answer, error) {
	response, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s and %d bytes of the body: %w", response.Status, len(text), err)
	}
	return &Answer{response, string(text)}, nil
}

// Send sends text.
func (c *Client) Send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// Answer reads the response to a request with that method.
func (c *Client) Answer(method string) *Answer {
	c.t.Helper()
	a, err := c.read(method)
	if err != nil {
		c.t.Fatalf("incomplete response: %v", err)
	}
	return a
}

// Get sends a GET request and reads the response.
func (c *Client) Get(target string) *Answer {
	c.t.Helper()
	c.Send(Get(target))
	return c.Answer("GET")
}

// Get is a GET request.
func Get(target string) string { return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n" }

// UntilLast completes a GET request whose first bytes, sent of them, have been sent, and
// repeats it until a response has Connection: close. Each write ends with the beginning
// of the next request, so that the connection is never idle. It returns the responses.
func (c *Client) UntilLast(request string, sent int) (answers []*Answer) {
	c.t.Helper()
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); {
		c.Send(request[sent:] + request[:sent])
		a := c.Answer("GET")
		answers = append(answers, a)
		if a.Close {
			return answers
		}
	}
	c.t.Fatalf("none of %d responses within %v has Connection: close", len(answers), Patience)
	return nil
}

// Buffered is the reader used by the methods.
func (c *Client) Buffered() *bufio.Reader { return c.r }

// Text reads n bytes.
func (c *Client) Text(n int) string {
	c.t.Helper()
	b := make([]byte, n)
	if got, err := io.ReadFull(c.r, b); err != nil {
		c.t.Fatalf("read %d bytes: %v after %d: %.200q", n, err, got, b[:got])
	}
	return string(b)
}

// HalfClose shuts down the sending direction.
func (c *Client) HalfClose() {
	c.t.Helper()
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		c.t.Fatalf("%T cannot be half closed", c.Conn)
	}
	if err := half.CloseWrite(); err != nil {
		c.t.Fatalf("half close: %v", err)
	}
}

// Ends expects the end of input, without a byte before it.
func (c *Client) Ends() {
	c.t.Helper()
	switch b, err := c.r.ReadByte(); {
	case err == nil:
		c.t.Errorf("got %q, want the end of the connection", b)
	case !errors.Is(err, io.EOF):
		c.t.Errorf("the connection ended with %v, want an orderly end", err)
	}
}

// AwaitRefusal waits until the address refuses connections.
func (p *Program) AwaitRefusal(address string) {
	p.t.Helper()
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); {
		c, err := Connect(address)
		if err != nil {
			return
		}
		c.Conn.Close()
		time.Sleep(time.Millisecond)
	}
	p.t.Fatalf("%s still accepts connections after %v", address, Patience)
}
