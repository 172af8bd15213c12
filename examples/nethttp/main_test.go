package main

import (
	"strings"
	"syscall"
	"testing"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestMain(m *testing.M) { program.Main(m) }

func TestMuxOnEddy(t *testing.T) {
	p := program.Start(t, "-listen", "127.0.0.1:0")
	address := strings.TrimSuffix(p.Stdout.Line("http://"), "/")
	c := program.Dial(t, address)
	for _, want := range []struct {
		request string
		status  int
		body    string
	}{
		{program.Get("/"), 200, "Try /hello/you\n"},
		{program.Get("/hello/you"), 200, "Hello, you!\n"},
		{program.Get("/elsewhere"), 404, "404 page not found\n"},
	} {
		c.Send(want.request)
		if a := c.Answer("GET"); a.StatusCode != want.status || a.Text != want.body {
			t.Errorf("got %s %q, want %d %q", a.Status, a.Text, want.status, want.body)
		}
	}
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
}
