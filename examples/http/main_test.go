package main_test

import (
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// start returns the running server and its address.
func start(t *testing.T) (*program.Program, string) {
	t.Helper()
	p := program.Start(t, "-listen", "127.0.0.1:0")
	return p, strings.TrimSuffix(p.Stdout.Line("http://"), "/")
}

func TestServesItsURL(t *testing.T) {
	p, address := start(t)
	client := http.Client{Timeout: program.Patience}
	for range 3 {
		response, err := client.Get("http://" + address + "/")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != 200 || string(body) != "Hello, World!" {
			t.Errorf("got %s %q", response.Status, body)
		}
		if got := response.Header.Get("Content-Type"); got != "text/plain" {
			t.Errorf("Content-Type is %q", got)
		}
	}
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
}

func TestDefaultAddressIsInItsUsage(t *testing.T) {
	program.UsageNames(t, `"127.0.0.1:8080"`)
}

func TestSignalFinishesTheRequestInFlight(t *testing.T) {
	program.EachSignal(t, func(t *testing.T, s os.Signal) {
		p, address := start(t)
		c := program.Dial(t, address)
		c.Get("/") // the connection has been accepted
		request := program.Get("/")
		c.Send(request[:20])
		p.Signal(s)
		p.AwaitRefusal(address)
		for _, a := range c.UntilLast(request, 20) {
			if a.StatusCode != 200 || a.Text != "Hello, World!" {
				t.Errorf("got %s %q", a.Status, a.Text)
			}
		}
		c.Ends()
		c.Conn.Close()
		p.ExitsCleanly()
	})
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	program.EachSignal(t, func(t *testing.T, s os.Signal) {
		p, address := start(t)
		c := program.Dial(t, address)
		c.Get("/")
		c.Send("GET / HT") // delays the drain for longer than Patience
		p.Signal(s)
		p.AwaitRefusal(address)
		p.DiesOf(s)
	})
}
