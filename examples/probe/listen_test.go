package main_test

import (
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestListensOnSeveralAddresses(t *testing.T) {
	t.Parallel()
	socket := "unix:" + socketPath(t)
	args := []string{"-listen", "127.0.0.1:0", "-listen", "127.0.0.1:0", "-listen", socket, "-echo", "127.0.0.1:0"}
	n := 3
	if hasIPv6() {
		args = append(args, "-listen", "[::1]:0")
		n++
	}
	p := program.Start(t, args...)
	echo := p.Stderr.Line("listening echo ")
	addresses := p.Stderr.Lines("listening http ", n)
	expect(t, "HTTP listeners", len(addresses), n)
	expect(t, "the address of the Unix socket", addresses[2], socket)
	for _, address := range addresses {
		expect(t, address, program.Dial(t, address).Get("/plaintext").Text, "Hello, World!")
		if strings.HasSuffix(address, ":0") {
			t.Errorf("%s: the bound port is not printed", address)
		}
	}
	c := program.Dial(t, echo)
	c.Send("GET / is no HTTP here")
	expect(t, "echo", c.Text(21), "GET / is no HTTP here")
	c.HalfClose()
	c.Ends()
	expect(t, "standard output", p.Stdout.String(), "")
}

// remote is the client's local address.
func TestRemoteIsTheClientsAddress(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"127.0.0.1:0", "[::1]:0", "unix:" + socketPath(t)} {
		t.Run(listen, func(t *testing.T) {
			if strings.HasPrefix(listen, "[") && !hasIPv6() {
				t.Skip("this machine has no ::1")
			}
			p := startOn(t, listen)
			c := p.dial()
			want := c.Conn.LocalAddr().String()
			if strings.HasPrefix(listen, "unix:") {
				want = "@"
			}
			var d dumped
			decode(t, c.Get("/dump"), &d)
			expect(t, "remote", d.Remote, want)
		})
	}
}

// socketPath returns a path for a Unix socket, which must be short.
func socketPath(t *testing.T) string {
	dir, err := os.MkdirTemp("", "eddy-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func TestUnixSocketFile(t *testing.T) {
	t.Parallel()
	path := socketPath(t)
	first := startOn(t, "unix:"+path)

	second := program.Start(t, "-listen", "unix:"+path)
	if second.Wait().Success() {
		t.Errorf("a socket that another process listens on was taken over")
	}
	expect(t, "the first still serves", first.get("/plaintext").StatusCode, 200)

	first.Kill()
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the socket of a killed process does not exist: %v", err)
	}
	third := startOn(t, "unix:"+path) // replaces the stale one
	expect(t, "after the stale socket", third.get("/plaintext").StatusCode, 200)
	third.drains()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket exists after the end: %v", err)
	}

	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	fourth := program.Start(t, "-listen", "unix:"+path)
	if fourth.Wait().Success() {
		t.Errorf("an ordinary file was replaced by a socket")
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
		t.Errorf("an ordinary file was changed: %q, %v", b, err)
	}
}

func TestRefusesToStart(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		name string
		args []string
		says string
	}{
		{"an unknown flag", []string{"-nonsense"}, "-nonsense"},
		{"a flag without a number", []string{"-loops", "many"}, "many"},
		{"a negative number of loops", []string{"-loops", "-1"}, "Loops"},
		{"a negative timeout", []string{"-listen", "127.0.0.1:0", "-header-timeout", "-1s"}, "ReadHeaderTimeout"},
		{"a negative limit", []string{"-listen", "127.0.0.1:0", "-max-body", "-1"}, "MaxBodyBytes"},
		{"a duration without a unit", []string{"-drain", "5"}, "-drain"},
		{"a port that is taken", []string{"-listen", taken.Addr().String()}, "choose another port"},
		{"a port that is taken, for echo", []string{"-listen", "127.0.0.1:0", "-echo", taken.Addr().String()}, "choose another port"},
		{"a port that is taken, for pprof", []string{"-listen", "127.0.0.1:0", "-pprof", taken.Addr().String()}, "in use"},
		{"an address of another machine", []string{"-listen", "192.0.2.1:0"}, "192.0.2.1"},
		{"an address that is none", []string{"-listen", "nonsense"}, "nonsense"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := program.Start(t, test.args...)
			if p.Wait().Success() {
				t.Errorf("exit status 0")
			}
			if !strings.Contains(p.Stderr.String(), test.says) {
				t.Errorf("stderr does not contain %q", test.says)
			}
		})
	}
}

func TestDefaultsAreInTheUsage(t *testing.T) {
	t.Parallel()
	program.UsageNames(t,
		"127.0.0.1:8080", "-echo", "-loops", "-header-timeout", "-body-timeout", "-idle-timeout", "-write-timeout",
		"-max-header", "-max-body", "-max-output", "-max-conns", "-drain", "10s", "-access-log", "-pprof",
	)
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	p := start(t)
	client := newHTTPClient(t)
	for i := range 20 {
		reused := false
		request, err := http.NewRequest("POST", p.url("/echo"), strings.NewReader(itoa(i)))
		if err != nil {
			t.Fatal(err)
		}
		trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }}
		response, err := client.Do(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := drain(response.Body); err != nil || n != int64(len(itoa(i))) {
			t.Fatalf("request %d: %d bytes, %v", i, n, err)
		}
		response.Body.Close()
		expect(t, "request "+itoa(i)+" on a used connection", reused, i > 0)
	}
	expect(t, "connections", statsOf(t, p.get("/stats")).Accepted, 2)
}

func TestPipelinesSixteenDeep(t *testing.T) {
	t.Parallel()
	p := start(t)
	c := p.dial()
	var requests strings.Builder
	bodies := make([]string, 16)
	for round := range 4 {
		requests.Reset()
		for i := range bodies {
			bodies[i] = strings.Repeat(itoa(round*16+i)+" ", 1<<i/16)
			// Some are answered at once, some later, in the order of the requests.
			requests.WriteString(post("POST", "/echo?"+itoa(i), "", bodies[i]))
			requests.WriteString(program.Get("/sleep?ms=" + itoa(i%3)))
			requests.WriteString(program.Get("/big?chunked=" + itoa(i%2) + "&n=" + itoa(i*1000)))
		}
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			_, _ = c.Conn.Write([]byte(requests.String())) // a failure shows in the responses
		}()
		for i, body := range bodies {
			expect(t, "echo "+itoa(i), c.Answer("POST").Text, body)
			expect(t, "sleep "+itoa(i), c.Answer("GET").Text, "slept")
			expect(t, "big "+itoa(i), len(c.Answer("GET").Text), i*1000)
		}
		<-sent
	}
}

// A client that sends a long pipeline while it reads the responses is slowed down, not closed.
func TestPipelinesWithoutEnd(t *testing.T) {
	t.Parallel()
	p := start(t)
	c := p.dial()
	const depth = 100000
	go func() {
		requests := strings.Repeat(program.Get("/plaintext"), depth)
		_, _ = c.Conn.Write([]byte(requests)) // a failure shows in the responses
	}()
	for range depth {
		if a := c.Answer("GET"); a.Text != "Hello, World!" {
			t.Fatalf("got %s %q", a.Status, a.Text)
		}
	}
}

func TestConnectionClose(t *testing.T) {
	t.Parallel()
	p := start(t)
	for _, token := range []string{"close", "CLOSE", "x, close", "close , x"} {
		c := p.dial()
		c.Send("GET /plaintext HTTP/1.1\r\nHost: a\r\nConnection: " + token + "\r\n\r\n" + program.Get("/json"))
		if a := c.Answer("GET"); a.Text != "Hello, World!" || !a.Close {
			t.Errorf("%s: got %q, Connection: close is %v", token, a.Text, a.Close)
		}
		c.Ends() // the next request is not answered
	}
}

func TestHalfClosedClientGetsItsAnswer(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"127.0.0.1:0", "unix:" + socketPath(t)} {
		p := startOn(t, listen)
		for _, target := range []string{"/plaintext", "/sleep?ms=20", "/big?n=3000000"} {
			c := p.dial()
			c.Send(program.Get(target))
			c.HalfClose()
			expect(t, target, c.Answer("GET").StatusCode, 200)
			c.Ends()
		}
	}
}

func TestHTTP10(t *testing.T) {
	t.Parallel()
	p := start(t)
	for _, target := range []string{"/plaintext", "/echo", "/big?n=100000", "/big?n=100000&chunked=1", "/sleep?ms=1"} {
		c := p.dial()
		c.Send("GET " + target + " HTTP/1.0\r\n\r\n")
		a := c.Answer("GET")
		if a.StatusCode != 200 || len(a.TransferEncoding) > 0 {
			t.Errorf("%s: %s, Transfer-Encoding %v", target, a.Status, a.TransferEncoding)
		}
		if strings.Contains(target, "n=100000") {
			expect(t, target, len(a.Text), 100000)
		}
		c.Ends()
	}
	c := p.dial()
	for range 3 {
		c.Send("GET /plaintext HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
		a := c.Answer("GET")
		expect(t, "with keep-alive", a.Text, "Hello, World!")
		expect(t, "Connection", strings.ToLower(a.Header.Get("Connection")), "keep-alive")
	}
}
