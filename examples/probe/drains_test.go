package main_test

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/eddynet/eddy/examples/internal/program"
)

// The trial takes a while. It logs its figures:
//
//	cd examples/probe && go test -run Trial -v -long .
var long = flag.Bool("long", false, "run the trials too")

// A server is started and drained fifty times, with clients that keep their connections
// and clients that open one for each request. Every request on an established connection
// gets a complete response, and no connection is refused before the signal.
func TestTrialOfDrains(t *testing.T) {
	if !*long {
		t.Skip("with -long only")
	}
	const drains, keeping, fresh = 50, 24, 8
	requests := []string{
		program.Get("/plaintext"),
		post("POST", "/echo", "", strings.Repeat("x", 10000)),
		program.Get("/sleep?ms=2"),
		program.Get("/big?n=200000"),
	}
	var answered, opened atomic.Int64
	for range drains {
		p := start(t)
		var clients sync.WaitGroup
		var signalled atomic.Bool
		for i := range keeping + fresh {
			request := requests[i%len(requests)]
			clients.Go(func() {
				for {
					err := visit(p.address, request, i < keeping, &answered)
					if signalled.Load() && errors.Is(err, syscall.ECONNREFUSED) {
						return
					}
					if err != nil {
						t.Errorf("%.20q: %v", request, err)
						return
					}
					opened.Add(1)
				}
			})
		}
		enough := answered.Load() + 2000
		eventually(t, "requests are answered", func() bool { return answered.Load() >= enough })
		signalled.Store(true)
		p.Signal(syscall.SIGTERM)
		p.ExitsCleanly()
		clients.Wait()
	}
	t.Logf("%d drains, %d responses, %d connections", drains, answered.Load(), opened.Load())
}

// visit sends the request on a new connection: once, or with keeps until a response has
// Connection: close.
func visit(address, request string, keeps bool, answered *atomic.Int64) error {
	c, err := program.Connect(address)
	if err != nil {
		return err
	}
	defer c.Conn.Close()
	method, _, _ := strings.Cut(request, " ")
	for {
		a, _, err := c.Do(method, request)
		if err != nil {
			return fmt.Errorf("on an established connection: %w", err)
		}
		if a.StatusCode != 200 {
			return errors.New(a.Status)
		}
		answered.Add(1)
		if a.Close || !keeps {
			return nil
		}
	}
}
