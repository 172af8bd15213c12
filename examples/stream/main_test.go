package main_test

import (
	"bufio"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// start returns the running server and its address.
func start(t *testing.T, gap time.Duration) (*program.Program, string) {
	t.Helper()
	p := program.Start(t, "-listen", "127.0.0.1:0", "-gap", gap.String())
	return p, strings.TrimSuffix(p.Stdout.Line("http://"), "/")
}

// begin sends a request, and reads the response's head and START.
func begin(t *testing.T, address string) (*program.Client, *bufio.Reader) {
	t.Helper()
	c := program.Dial(t, address)
	c.Send(program.Get("/"))
	response, err := http.ReadResponse(c.Buffered(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.TransferEncoding; response.StatusCode != 200 || len(got) != 1 || got[0] != "chunked" {
		t.Errorf("got %s, transfer encoding %v", response.Status, got)
	}
	body := bufio.NewReader(response.Body)
	line(t, body, "START\n")
	return c, body
}

func line(t *testing.T, body *bufio.Reader, want string) {
	t.Helper()
	if got, err := body.ReadString('\n'); got != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

func TestPiecesArriveOneByOne(t *testing.T) {
	p, address := start(t, 200*time.Millisecond)
	started := time.Now()
	c, body := begin(t, address)
	line(t, body, "MIDDLE\n")
	if passed := time.Since(started); passed < 200*time.Millisecond {
		t.Errorf("MIDDLE came after %v, want a gap of 200ms", passed)
	}
	line(t, body, "END\n")
	if passed := time.Since(started); passed < 400*time.Millisecond {
		t.Errorf("END came after %v, want two gaps of 200ms", passed)
	}
	if _, err := body.ReadByte(); err == nil {
		t.Error("the body continues after END")
	}
	if a := c.Get("/"); a.Text != "START\nMIDDLE\nEND\n" {
		t.Errorf("the second response on the connection is %q", a.Text)
	}
	c.Conn.Close()
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
}

// Clients do not wait for each other.
func TestManyConcurrentClients(t *testing.T) {
	_, address := start(t, 100*time.Millisecond)
	var clients []*program.Client
	for range 300 {
		c := program.Dial(t, address)
		c.Send(program.Get("/"))
		clients = append(clients, c)
	}
	for _, c := range clients {
		if a := c.Answer("GET"); a.Text != "START\nMIDDLE\nEND\n" {
			t.Fatalf("got %q", a.Text)
		}
	}
}

func TestClientsMayCloseEarly(t *testing.T) {
	p, address := start(t, 50*time.Millisecond)
	for range 20 {
		c, _ := begin(t, address)
		c.Conn.Close()
	}
	c, body := begin(t, address)
	line(t, body, "MIDDLE\n")
	line(t, body, "END\n")
	c.Conn.Close()
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
	if got := p.Stderr.String(); got != "" {
		t.Errorf("stderr: %s", got)
	}
}

func TestSignalCompletesResponses(t *testing.T) {
	p, address := start(t, 300*time.Millisecond)
	c, body := begin(t, address)
	p.Signal(syscall.SIGTERM)
	line(t, body, "MIDDLE\n")
	line(t, body, "END\n")
	c.Conn.Close()
	p.ExitsCleanly()
}
