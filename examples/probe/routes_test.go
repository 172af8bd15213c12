package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	p := start(t)
	const text = "text/plain"
	tests := []struct {
		name    string
		request string
		status  int
		typ     string
		body    string // "*" for any
	}{
		{"plaintext", program.Get("/plaintext"), 200, text, "Hello, World!"},
		{"json", program.Get("/json"), 200, "application/json", `{"message":"Hello, World!"}`},
		{"echo of nothing", program.Get("/echo"), 200, "", ""},
		{"echo with its type", post("POST", "/echo", "Content-Type: image/x\r\n", "abc"), 200, "image/x", "abc"},
		{"echo of chunks", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n", 200, "", "abcde"},
		{"sleep", program.Get("/sleep?ms=1"), 200, "", "slept"},
		{"sleep without a time", program.Get("/sleep"), 200, "", "slept"},
		{"spin", program.Get("/spin?ms=1"), 200, "", "spun"},
		{"panic", program.Get("/panic"), 500, "*", "*"},
		{"big", program.Get("/big?n=10"), 200, "application/octet-stream", "xxxxxxxxxx"},
		{"big in chunks", program.Get("/big?n=10&chunked=1"), 200, "application/octet-stream", "xxxxxxxxxx"},
		{"big of nothing", program.Get("/big?n=0"), 200, "application/octet-stream", ""},
		{"big of no chunks", program.Get("/big?n=0&chunked=1"), 200, "application/octet-stream", ""},
		{"big without a number", program.Get("/big"), 400, text, "*"},
		{"big below nothing", program.Get("/big?n=-1"), 400, text, "*"},
		{"reflect", program.Get("/reflect?h=abc"), 200, "", ""},
		{"no such route", program.Get("/nowhere"), 404, text, "*"},
		{"the root is none", program.Get("/"), 404, text, "*"},
		{"routes are whole paths", program.Get("/plaintext/"), 404, text, "*"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := p.ask("GET", test.request)
			expect(t, "status", a.StatusCode, test.status)
			if got := a.Header.Get("Content-Type"); test.typ != "*" && got != test.typ {
				t.Errorf("Content-Type: got %q, want %q", got, test.typ)
			}
			if test.body != "*" && a.Text != test.body {
				t.Errorf("body: got %.100q, want %q", a.Text, test.body)
			}
			checkServerAndDate(t, a)
		})
	}
}

func checkServerAndDate(t *testing.T, a *program.Answer) {
	t.Helper()
	expect(t, "Server", a.Header.Get("Server"), "eddy")
	if _, err := time.Parse(http.TimeFormat, a.Header.Get("Date")); err != nil {
		t.Errorf("Date: %v", err)
	}
}

// post returns a request with a Content-Length body.
func post(method, target, fields, body string) string {
	return method + " " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "Content-Length: " + itoa(len(body)) + "\r\n\r\n" + body
}

func TestEchoAcceptsEveryMethodWithABody(t *testing.T) {
	t.Parallel()
	p := start(t)
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "GET", "OPTIONS", "QUERY"} {
		a := p.ask(method, post(method, "/echo", "", "body of "+method))
		if a.StatusCode != 200 || a.Text != "body of "+method {
			t.Errorf("%s: %s %q", method, a.Status, a.Text)
		}
	}
}

func TestStatusCodes(t *testing.T) {
	t.Parallel()
	p := start(t)
	tests := []struct {
		code   string
		status int
		length string // Content-Length, empty for none
	}{
		{"200", 200, "0"}, {"201", 201, "0"}, {"204", 204, ""}, {"205", 205, "0"}, {"299", 299, "0"},
		{"301", 301, "0"}, {"304", 304, ""}, {"404", 404, "0"}, {"418", 418, "0"},
		{"500", 500, "0"}, {"503", 503, "0"}, {"599", 599, "0"},
		{"100", 400, "*"}, {"101", 400, "*"}, {"199", 400, "*"}, {"600", 400, "*"},
		{"0", 400, "*"}, {"-1", 400, "*"}, {"abc", 400, "*"}, {"", 400, "*"},
	}
	c := p.dial() // one for all: a wrong framing would break the next response
	for _, test := range tests {
		a := c.Get("/status?code=" + test.code)
		if a.StatusCode != test.status {
			t.Errorf("code=%s: got %s, want %d", test.code, a.Status, test.status)
		}
		if got := a.Header.Get("Content-Length"); test.length != "*" && got != test.length {
			t.Errorf("code=%s: Content-Length is %q, want %q", test.code, got, test.length)
		}
		if test.length != "*" && a.Text != "" || len(a.TransferEncoding) > 0 {
			t.Errorf("code=%s: body %q, Transfer-Encoding %v", test.code, a.Text, a.TransferEncoding)
		}
	}
}

func TestReflectSetsOnlyValidFieldValues(t *testing.T) {
	t.Parallel()
	p := start(t)
	tests := []struct {
		query, value string
		status       int
	}{
		{"h=abc", "abc", 200},
		{"h=a%20b", "a b", 200},
		{"h=a+b", "a+b", 200},
		{"h=a%09b", "a\tb", 200},
		{"h=%E4", "\xe4", 200},
		{"h=%25", "%", 200},
		{"h=a%0d%0aX-Evil:1", "", 400},
		{"h=a%0aX-Evil:1", "", 400},
		{"h=a%0dX-Evil:1", "", 400},
		{"h=a%00b", "", 400},
		{"h=%7f", "", 400},
		{"h=%01", "", 400},
	}
	for _, test := range tests {
		a := p.get("/reflect?" + test.query)
		if a.StatusCode != test.status || a.Header.Get("X-Reflect") != test.value {
			t.Errorf("%s: got %s and %q, want %d and %q", test.query, a.Status, a.Header.Get("X-Reflect"), test.status, test.value)
		}
		if _, evil := a.Header["X-Evil"]; evil {
			t.Errorf("%s: a field was injected", test.query)
		}
	}
}

func TestPanicCostsItsConnectionOnly(t *testing.T) {
	t.Parallel()
	p := start(t, "-loops", "1")
	neighbour := p.dial()
	neighbour.Get("/plaintext")
	for range 3 {
		c := p.dial()
		c.Send(program.Get("/panic"))
		if a := c.Answer("GET"); a.StatusCode != 500 || !a.Close {
			t.Errorf("got %s, Connection: close is %v", a.Status, a.Close)
		}
		c.Ends()
		c.Conn.Close()
	}
	expect(t, "the neighbour's response", neighbour.Get("/plaintext").Text, "Hello, World!")
	expect(t, "panics", statsOf(t, neighbour.Get("/stats")).Panics, 3)
	eventually(t, "the panics are logged", func() bool {
		return strings.Count(p.Stderr.String(), "asked for by /panic") >= 3
	})
	neighbour.Conn.Close()
	p.drains()
}

// The response times on another connection show that /spin blocks the loop, and that
// the timer of /sleep does not.
func TestSpinBlocksItsLoopAndSleepDoesNot(t *testing.T) {
	t.Parallel()
	p := start(t, "-loops", "1")
	slow, quick := p.dial(), p.dial()
	quick.Get("/plaintext")

	slow.Send(program.Get("/sleep?ms=3600000")) // never answered
	for range 100 {
		quick.Get("/plaintext")
	}
	slow.Conn.Close()

	const hold = 300 * time.Millisecond
	slow = p.dial()
	last, longest := time.Now(), time.Duration(0)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _, _ = slow.Do("GET", program.Get("/spin?ms=300")) // only its end matters
	}()
	for spinning := true; spinning; {
		select {
		case <-answered:
			spinning = false // once more, for the pause that ends with the spin
		default:
		}
		quick.Get("/plaintext")
		longest = max(longest, time.Since(last))
		last = time.Now()
	}
	// The loop made no response meanwhile, and at most one made before was read in that
	// time. So one pause between two responses was at least half as long.
	if longest < hold/2 {
		t.Errorf("while the loop was blocked for %v, the longest pause between other responses was %v", hold, longest)
	}
}

func TestStatsCountConnections(t *testing.T) {
	t.Parallel()
	p := start(t)
	c := p.dial()
	for range 4 {
		p.get("/plaintext")
	}
	eventually(t, "four connections are closed and one is open", func() bool {
		s := statsOf(t, c.Get("/stats"))
		return s.Accepted == 5 && s.Closed == 4
	})
}

// The response to HEAD has the fields of GET and no body (RFC 9110 section 9.3.2). The
// next response on the connection shows that no byte of a body was sent.
func TestHeadIsGetWithoutTheBody(t *testing.T) {
	t.Parallel()
	p := start(t)
	c := p.dial()
	for _, target := range []string{
		"/plaintext", "/json", "/echo", "/big?n=100000", "/big?n=100000&chunked=1", "/big?n=0",
		"/sleep?ms=1", "/spin?ms=1", "/status?code=404", "/status?code=204", "/status?code=304",
		"/reflect?h=abc", "/nowhere",
	} {
		get := c.Get(target)
		c.Send(strings.Replace(program.Get(target), "GET", "HEAD", 1))
		head := c.Answer("HEAD")
		expect(t, target+": status", head.StatusCode, get.StatusCode)
		expect(t, target+": body", head.Text, "")
		expect(t, target+": chunked", len(head.TransferEncoding), len(get.TransferEncoding))
		for _, name := range []string{"Content-Length", "Content-Type", "X-Reflect", "Server"} {
			expect(t, target+": "+name, head.Header.Get(name), get.Header.Get(name))
		}
	}
}
