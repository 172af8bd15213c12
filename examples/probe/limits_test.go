package main_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestMaxHeader(t *testing.T) {
	t.Parallel()
	p := start(t, "-max-header", "1000")
	request := func(size int) string {
		const begin, end = "GET /plaintext HTTP/1.1\r\nHost: a\r\nX: ", "\r\n\r\n"
		return begin + strings.Repeat("x", size-len(begin)-len(end)) + end
	}
	expect(t, "at the limit", p.ask("GET", request(1000)).StatusCode, 200)
	refused(t, p, "above the limit", request(1001), 431)
	refused(t, p, "without an end", request(5000)[:4900], 431)
}

// refused expects an error response that ends the connection.
func refused(t *testing.T, p *probe, name, request string, status int) {
	t.Helper()
	c := p.dial()
	c.Send(request)
	a := c.Answer("POST")
	if a.StatusCode != status || !a.Close {
		t.Errorf("%s: got %s, Connection: close is %v; want %d", name, a.Status, a.Close, status)
	}
	c.Ends()
}

func TestMaxBody(t *testing.T) {
	t.Parallel()
	p := start(t, "-max-body", "10")
	const chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	expect(t, "at the limit", p.ask("POST", post("POST", "/echo", "", "0123456789")).Text, "0123456789")
	expect(t, "at the limit, in chunks", p.ask("POST", chunked+"5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n").Text, "0123456789")
	refused(t, p, "above the limit", post("POST", "/echo", "", "0123456789a"), 413)
	refused(t, p, "above the limit, before the body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", 413)
	refused(t, p, "above the limit, in chunks", chunked+"5\r\n01234\r\n6\r\n56789a\r\n0\r\n\r\n", 413)

	bigger := start(t, "-max-body", "6000000") // above the default
	body := strings.Repeat("x", 6000000)
	expect(t, "a raised limit", len(bigger.ask("POST", post("POST", "/echo", "", body)).Text), len(body))
}

// A client that is still sending receives the refusal.
func TestRefusalReachesAClientThatIsSending(t *testing.T) {
	t.Parallel()
	p := start(t, "-max-body", "10")
	for range 20 {
		refused(t, p, "8 MiB", post("POST", "/echo", "", strings.Repeat("x", 8<<20)), 413)
	}
}

// A small output limit bounds the queue, not the response.
func TestMaxOutputLosesNothing(t *testing.T) {
	t.Parallel()
	p := start(t, "-max-output", "5000", "-echo", "127.0.0.1:0")
	body := strings.Repeat("0123456789", 100000)
	t.Run("stream", func(t *testing.T) {
		a := program.Dial(t, p.address).Get("/big?n=3000000")
		expect(t, "bytes", len(a.Text), 3000000)
	})
	t.Run("stream in chunks", func(t *testing.T) {
		a := program.Dial(t, p.address).Get("/big?n=3000000&chunked=1")
		expect(t, "bytes", len(a.Text), 3000000)
	})
	t.Run("one body", func(t *testing.T) {
		c := program.Dial(t, p.address)
		c.Send(post("POST", "/echo", "", body))
		expect(t, "body", c.Answer("POST").Text == body, true)
	})
	t.Run("pipeline", func(t *testing.T) {
		c := program.Dial(t, p.address)
		const depth = 2000
		go func() {
			requests := strings.Repeat(post("POST", "/echo", "", body[:1000]), depth)
			_, _ = io.WriteString(c.Conn, requests) // a failure shows in the responses
		}()
		for range depth {
			expect(t, "body", c.Answer("POST").Text == body[:1000], true)
		}
	})
	t.Run("raw echo", func(t *testing.T) {
		c := program.Dial(t, p.Stderr.Line("listening echo "))
		go func() { _, _ = io.WriteString(c.Conn, body) }() // a failure shows in the echo
		expect(t, "text", c.Text(len(body)) == body, true)
	})
}

func TestMaxConns(t *testing.T) {
	t.Parallel()
	p := start(t, "-max-conns", "2")
	first, second := p.dial(), p.dial()
	first.Get("/plaintext")
	second.Get("/plaintext")
	third := p.dial() // waits in the accept queue
	third.Send(program.Get("/plaintext"))
	eventually(t, "the listener pauses", func() bool {
		return statsOf(t, first.Get("/stats")).AcceptPauses > 0
	})
	expect(t, "accepted", statsOf(t, first.Get("/stats")).Accepted, 2)
	second.Conn.Close()
	expect(t, "the connection in the accept queue", third.Answer("GET").Text, "Hello, World!")
	eventually(t, "the log names the limit", func() bool {
		return strings.Contains(p.Stderr.String(), "MaxConns")
	})
}

func TestLoops(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 3} {
		p := start(t, "-loops", itoa(n), "-pprof", "127.0.0.1:0")
		client := newHTTPClient(t)
		url := "http://" + p.Stderr.Line("listening pprof ") + "/debug/pprof/goroutine?debug=2"
		eventually(t, itoa(n)+" loops run", func() bool {
			response, err := client.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			stacks, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			return strings.Count(string(stacks), "loop.(*Reactor).Run(") == n
		})
	}
}

func TestPprofHasItsOwnAddress(t *testing.T) {
	t.Parallel()
	p := start(t, "-pprof", "127.0.0.1:0")
	response, err := newHTTPClient(t).Get("http://" + p.Stderr.Line("listening pprof ") + "/debug/pprof/")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	expect(t, "pprof", response.StatusCode, 200)
	expect(t, "pprof on the HTTP listener", p.get("/debug/pprof/").StatusCode, 404)
	p.drains()
}

func TestAccessLogHasALineForEachRequest(t *testing.T) {
	t.Parallel()
	p := start(t, "-access-log")
	c := p.dial()
	c.Get("/plaintext?q=1")
	c.Get("/nowhere")
	c.Get("/big?n=12345&chunked=1")
	c.Get("/sleep?ms=1")
	c.Send(post("POST", "/echo", "", "abc"))
	c.Answer("POST")
	c.Send("GET /\x01 HTTP/1.1\r\n\r\n") // refused: 400
	c.Answer("GET")
	p.Signal(syscall.SIGTERM)
	c.Conn.Close()
	p.ExitsCleanly()
	lines := p.Stderr.Lines("time=", 6)
	if len(lines) != 6 {
		t.Fatalf("%d lines, want 6:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	for i, want := range []string{
		"method=GET target=\"/plaintext?q=1\" status=200 bytes=13 ",
		"method=GET target=/nowhere status=404 ",
		"method=GET target=\"/big?n=12345&chunked=1\" status=200 bytes=12345 ",
		"method=GET target=\"/sleep?ms=1\" status=200 bytes=5 ",
		"method=POST target=/echo status=200 bytes=3 ",
		"status=400 ",
	} {
		if !strings.Contains(lines[i], want) || !strings.Contains(lines[i], "remote="+c.Conn.LocalAddr().String()+" ") {
			t.Errorf("line %d is %q, want %q in it", i, lines[i], want)
		}
	}

	quiet := start(t)
	quiet.get("/plaintext")
	quiet.drains()
	expect(t, "lines without -access-log", strings.Count(quiet.Stderr.String(), "\n"), 1)
}

// The deadlines: sent by a client before it stalls, and the responses it receives.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	const limit = 200 * time.Millisecond
	tests := []struct {
		name, flag, sends string
		answers           []int // status codes before the end of the connection
	}{
		{"header, nothing sent", "-header-timeout", "", nil},
		{"header, begun", "-header-timeout", "GET /plain", []int{408}},
		{"header, begun after a request", "-header-timeout", program.Get("/plaintext") + "G", []int{200, 408}},
		{"body, not begun", "-body-timeout", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", []int{408}},
		{"body, begun", "-body-timeout", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc", []int{408}},
		{"body, in chunks", "-body-timeout", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", []int{408}},
		{"body, trailers", "-body-timeout", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX:", []int{408}},
		{"idle, nothing sent", "-idle-timeout", "", nil},
		{"idle, after a request", "-idle-timeout", program.Get("/plaintext"), []int{200}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := start(t, test.flag, limit.String())
			begin := time.Now()
			c := p.dial()
			c.Send(test.sends)
			for _, status := range test.answers {
				a := c.Answer("POST")
				expect(t, "status", a.StatusCode, status)
				expect(t, "Connection: close", a.Close, status == 408)
			}
			c.Ends()
			if took := time.Since(begin); took < limit {
				t.Errorf("the connection ended after %v, before the deadline", took)
			}
			eventually(t, "one connection has timed out", func() bool {
				return statsOf(t, p.get("/stats")).TimedOut == 1
			})
		})
	}
}

func TestClientDeadlinesDoNotEndAHandler(t *testing.T) {
	t.Parallel()
	p := start(t, "-idle-timeout", "300ms", "-header-timeout", "300ms", "-body-timeout", "300ms", "-write-timeout", "300ms")
	c := p.dial()
	a := c.Get("/sleep?ms=700") // none of these applies to the handler
	expect(t, "a slow response", a.Text, "slept")
}

func TestWriteTimeoutEndsAClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	p := start(t, "-write-timeout", "200ms")
	c := p.dial()
	c.Send(program.Get("/big?n=1000000000"))
	eventually(t, "the connection has timed out", func() bool {
		return statsOf(t, p.get("/stats")).TimedOut == 1
	})
	response, err := http.ReadResponse(c.Buffered(), nil)
	if err != nil {
		return // a reset discards the kernel's buffered output
	}
	if n, err := drain(response.Body); err == nil || errors.Is(err, io.EOF) || n == 1000000000 {
		t.Errorf("received %d bytes: %v", n, err)
	}
}
