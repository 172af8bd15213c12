package main_test

import (
	"fmt"
	"sync"
	"syscall"
	"testing"

	"github.com/eddynet/eddy/examples/internal/program"
)

// startUnread runs a probe whose standard error is a full pipe without a reader.
func startUnread(t *testing.T, args ...string) *probe {
	t.Helper()
	p, address := program.StartUnread(t, "listening http ", append([]string{"-listen", "127.0.0.1:0"}, args...)...)
	return &probe{p, t, address}
}

func TestBlockedLogBlocksNoRequest(t *testing.T) {
	t.Parallel()
	const clients, requests = 16, 200
	for _, args := range [][]string{nil, {"-access-log"}} {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			t.Parallel()
			p := startUnread(t, args...)
			var done sync.WaitGroup
			for range clients {
				done.Go(func() {
					if err := requestsAndPanic(p.address, requests); err != nil {
						t.Error(err)
					}
				})
			}
			done.Wait()
			eventually(t, "all panics are counted", func() bool { // loops publish their counts before the next wait
				return statsOf(t, p.get("/stats")).Panics == clients
			})
			p.drains()
		})
	}
}

// requestsAndPanic sends n requests on one connection, then one that panics.
func requestsAndPanic(address string, n int) error {
	c, err := program.Connect(address)
	if err != nil {
		return err
	}
	defer c.Conn.Close()
	for i := range n {
		if a, _, err := c.Do("GET", program.Get("/plaintext")); err != nil || a.StatusCode != 200 {
			return fmt.Errorf("request %d is not answered: %v", i, err)
		}
	}
	if a, _, err := c.Do("GET", program.Get("/panic")); err != nil || a.StatusCode != 500 {
		return fmt.Errorf("/panic is not answered with 500: %v", err)
	}
	return nil
}

// Run returns an error of the drain, which the program logs too.
func TestBlockedLogDoesNotDelayTheEnd(t *testing.T) {
	t.Parallel()
	p := startUnread(t, "-access-log", "-drain", "100ms")
	c := p.dial()
	c.Get("/plaintext")
	c.Send(program.Get("/sleep?ms=3600000"))
	p.Signal(syscall.SIGTERM)
	expect(t, "exit status", p.Wait().ExitCode(), 1)
}
