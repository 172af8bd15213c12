package main_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// start returns the running server and its address.
func start(t *testing.T, args ...string) (*program.Program, string) {
	t.Helper()
	p := program.Start(t, append([]string{"-listen", "127.0.0.1:0"}, args...)...)
	return p, strings.TrimSuffix(p.Stdout.Line("http://"), "/")
}

// servers maps names to the flags of the server on eddy and the one on net/http.
var servers = map[string][]string{"eddy": nil, "nethttp": {"-nethttp"}}

// waiting returns n clients that the server counts as waiting.
func waiting(t *testing.T, address string, n int) []*program.Client {
	t.Helper()
	var all []*program.Client
	for range n {
		c := program.Dial(t, address)
		c.Send(program.Get("/wait"))
		all = append(all, c)
	}
	awaitCount(t, address, n)
	return all
}

// line is a number in the format of the server's response.
func line(n int) string { return strconv.Itoa(n) + "\n" }

// awaitCount waits until the server counts so many waiting clients.
func awaitCount(t *testing.T, address string, want int) {
	t.Helper()
	c := program.Dial(t, address)
	defer c.Conn.Close()
	got := ""
	for deadline := time.Now().Add(program.Patience); time.Now().Before(deadline); {
		if got = c.Get("/count").Text; got == line(want) {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%s clients wait, want %d", got, want)
}

// notify notifies all clients. It returns their number, as reported by the server.
func notify(t *testing.T, address, text string) string {
	t.Helper()
	client := http.Client{Timeout: program.Patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Post("http://"+address+"/notify", "text/plain", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	n, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("notify: %s, %v", response.Status, err)
	}
	return string(n)
}

func TestAllWaitingClientsAreNotified(t *testing.T) {
	for name, args := range servers {
		t.Run(name, func(t *testing.T) {
			p, address := start(t, args...)
			const n = 50
			clients := waiting(t, address, n)
			for round := range 3 {
				text := fmt.Sprint("round ", round)
				if got := notify(t, address, text); got != line(n) {
					t.Fatalf("%s were notified, want %d", got, n)
				}
				for _, c := range clients {
					if a := c.Answer("GET"); a.StatusCode != 200 || a.Text != text {
						t.Errorf("got %s %q, want %q", a.Status, a.Text, text)
					}
					c.Send(program.Get("/wait")) // again, on the same connection
				}
				awaitCount(t, address, n)
			}
			for _, c := range clients {
				c.Conn.Close()
			}
			awaitCount(t, address, 0)
			if got := notify(t, address, "nobody"); got != line(0) {
				t.Errorf("%s were notified, want none", got)
			}
			p.Signal(syscall.SIGTERM)
			p.ExitsCleanly()
		})
	}
}

// A client that stops sending is treated as closed, and is removed.
func TestClosedClientIsRemoved(t *testing.T) {
	p, address := start(t)
	clients := waiting(t, address, 2)
	clients[0].HalfClose()
	awaitCount(t, address, 1)
	clients[0].Answer("GET")
	clients[0].Ends()
	clients[1].Conn.Close()
	awaitCount(t, address, 0)
	clients[0].Conn.Close()
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
}

func TestSignalAnswersAllClients(t *testing.T) {
	p, address := start(t)
	clients := waiting(t, address, 20)
	p.Signal(syscall.SIGTERM)
	for _, c := range clients {
		if a := c.Answer("GET"); a.StatusCode != 503 {
			t.Errorf("got %s, want 503", a.Status)
		}
		c.Conn.Close()
	}
	p.ExitsCleanly()
}

func TestOtherRequestsAreRefused(t *testing.T) {
	_, address := start(t)
	c := program.Dial(t, address)
	if a := c.Get("/notify"); a.StatusCode != 405 || a.Header.Get("Allow") != "POST" {
		t.Errorf("GET /notify: %s, %v", a.Status, a.Header)
	}
	if a := c.Get("/other"); a.StatusCode != 404 {
		t.Errorf("GET /other: %s", a.Status)
	}
}

// The load client checks every response: a wrong one makes it fail.
func TestLoadMeasuresARunningServer(t *testing.T) {
	for name, args := range servers {
		t.Run(name, func(t *testing.T) {
			server, address := start(t, args...)
			client := program.Start(t, "-load", "500", "-server", address, "-pid", strconv.Itoa(server.PID()))
			client.ExitsCleanly()
			if got := client.Stdout.String(); !strings.Contains(got, "500 clients") || !strings.Contains(got, "notify, until the last answer") {
				t.Errorf("it prints %s", got)
			}
			awaitCount(t, address, 0)
		})
	}
}

func TestLoadReportsARefusedConnection(t *testing.T) {
	client := program.Start(t, "-load", "5", "-server", "127.0.0.1:1")
	if state := client.Wait(); state.Success() {
		t.Error("exit status 0 without a server")
	}
	if got := client.Stderr.String(); !strings.Contains(got, "connection refused") {
		t.Errorf("stderr: %s", got)
	}
}

func TestBenchMeasuresBothServers(t *testing.T) {
	p := program.Start(t, "-bench", "-load", "300")
	p.ExitsCleanly()
	if got := p.Stdout.String(); !strings.Contains(got, "eddy  net/http") {
		t.Errorf("it prints %s", got)
	}
}
