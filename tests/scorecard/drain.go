package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// drained counts the results of clients in drains.
type drained struct{ answers, wrong, cut atomic.Int64 }

// drains repeatedly drains a server under load.
func drains(t *trial) error {
	const rounds = 50
	var d drained
	longest := time.Duration(0)
	for range rounds {
		took, err := oneDrain(t, &d)
		if err != nil {
			return err
		}
		longest = max(longest, took)
	}
	t.info("drains under load", rounds)
	atLeast(t, "drains: requests answered", d.answers.Load(), rounds*100)
	equal(t, "drains: answered with an error", d.wrong.Load(), 0)
	equal(t, "drains: sent and not answered", d.cut.Load(), 0)
	atMost(t, "drains: longest", longest.Round(time.Millisecond), 3*time.Second)
	return nil
}

// oneDrain drains a server with clients on persistent connections, which send requests
// until Connection: close.
func oneDrain(t *trial, d *drained) (took time.Duration, err error) {
	const clients = 16
	s, err := t.start()
	if err != nil {
		return 0, err
	}
	body := strings.Repeat("x", 10_000)
	requests := []string{
		get("/plaintext"), post("/echo", body), get("/sleep?ms=2"), get("/defer?ms=2"),
		get("/big?n=200000"), get("/block?ms=3"), get("/stream?gap=5"), post("/std/echo", body),
	}
	loaded := make(chan error, 1)
	go func() {
		loaded <- parallel(clients, func(i int) error {
			c, err := dial(t.ctx, s.address)
			if err != nil {
				return err
			}
			defer c.reset()
			d.ask(c, requests[i%len(requests)], i >= clients/2)
			return nil
		})
	}()
	if err := t.pause(200 * time.Millisecond); err != nil {
		return 0, err
	}
	from := time.Now()
	if err := s.terminate(10 * time.Second); err != nil {
		return 0, fmt.Errorf("drain: %w: %s", err, strings.Join(s.logged(), "; "))
	}
	return time.Since(from), <-loaded
}

// ask repeats a request until Connection: close. Some clients pause between requests, for
// less than the grace period of idle connections.
func (d *drained) ask(c *client, request string, pauses bool) {
	for {
		a, err := c.do(request)
		switch {
		case err != nil:
			d.cut.Add(1)
			return
		case a.status != 200:
			d.wrong.Add(1)
			return
		}
		d.answers.Add(1)
		if a.close {
			return
		}
		if pauses {
			time.Sleep(rand.N(100 * time.Millisecond))
		}
	}
}

// stuckDrain drains a server with a response that never ends: the drain ends at its
// deadline.
func stuckDrain(t *trial) error {
	const limit = time.Second
	s, err := t.start("-drain", limit.String())
	if err != nil {
		return err
	}
	crowd, err := t.crowd(s, "/wait", 1)
	if err != nil {
		return err
	}
	defer closeAll(crowd)
	return t.endsOnSignal(s, "a drain that cannot end", limit, limit, 1)
}

// overtime is the time that a process may run after the deadline of its drain.
const overtime = 200 * time.Millisecond

// endsOnSignal sends SIGTERM. The server must end between these times, with this exit
// status.
func (t *trial) endsOnSignal(s *server, name string, earliest, latest time.Duration, status int) error {
	from := time.Now()
	if err := s.signal(syscall.SIGTERM); err != nil {
		return err
	}
	code, err := s.status(20 * time.Second)
	if err != nil {
		return err
	}
	within(t, name+": it ended after", time.Since(from), max(0, earliest-50*time.Millisecond), latest+overtime+t.margin)
	equal(t, name+": exit status", code, status)
	return nil
}

// blockedDrain drains a server while a handler blocks its loop for longer than the drain
// may take.
func blockedDrain(t *trial) error {
	const limit = 2 * time.Second
	s, err := t.startBlocked("-drain", limit.String())
	if err != nil {
		return err
	}
	return t.endsBlocked(s, "a drain with a blocked loop", limit)
}

// forcedDrain sends a second signal in such a drain.
func forcedDrain(t *trial) error {
	s, err := t.startBlocked("-drain", "1m")
	if err != nil {
		return err
	}
	if err := s.signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := t.pause(300 * time.Millisecond); err != nil { // until it is handled
		return err
	}
	return t.endsBlocked(s, "a second signal with a blocked loop", 0)
}

// startBlocked starts a server whose loop is blocked by a handler.
func (t *trial) startBlocked(args ...string) (*server, error) {
	s, err := t.start(args...)
	if err != nil {
		return nil, err
	}
	c, err := dial(t.ctx, s.address)
	if err != nil {
		return nil, err
	}
	if err := c.send(get("/spin?ms=15000")); err != nil {
		return nil, err
	}
	return s, t.pause(300 * time.Millisecond) // until it is handled
}

// endsBlocked is endsOnSignal for such a server, whose error must name the handler.
func (t *trial) endsBlocked(s *server, name string, limit time.Duration) error {
	if err := t.endsOnSignal(s, name, limit, limit, 1); err != nil {
		return err
	}
	named := slices.ContainsFunc(s.logged(), func(line string) bool {
		return strings.Contains(line, "has been blocked") && strings.Contains(line, "main.spin")
	})
	equal(t, name+": the error names the handler", named, true)
	return nil
}

// everythingReturns counts goroutines and descriptors before and after clients of all
// routes, half of which reset their connection.
func everythingReturns(t *trial) error {
	const clients = 1000
	if !t.hasProc("goroutines and descriptors") {
		return nil
	}
	s, err := t.start("-pprof", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := s.stats(); err != nil {
		return err
	}
	goroutines, err := s.goroutines()
	if err != nil {
		return err
	}
	before := s.idleDescriptors(0)
	paths := []string{"/plaintext", "/sleep?ms=200", "/defer?ms=200", "/block?ms=200", "/stream?gap=100", "/wait", "/sse", "/std/flush", "/big?n=10000000"}
	err = parallel(clients, func(i int) error {
		c, err := dial(t.ctx, s.address)
		if err != nil {
			return err
		}
		if err := c.send(get(paths[i%len(paths)])); err != nil {
			return err
		}
		time.Sleep(rand.N(400 * time.Millisecond))
		if i%2 == 0 {
			c.reset()
			return nil
		}
		return c.Close()
	})
	if err != nil {
		return err
	}
	open, err := s.awaitOpen(0, 10*time.Second)
	if err != nil {
		return err
	}
	equal(t, "after 1,000 closing clients: connections", open, 0)
	now, err := s.awaitGoroutines(goroutines)
	if err != nil {
		return err
	}
	atMost(t, "after 1,000 closing clients: goroutines", now, goroutines)
	atMost(t, "after 1,000 closing clients: descriptors", s.idleDescriptors(before), before)
	return nil
}

// awaitGoroutines waits until there are no more goroutines than before, for 10 s at most.
func (s *server) awaitGoroutines(before int) (now int, err error) {
	for range 100 {
		if now, err = s.goroutines(); err != nil || now <= before {
			return now, err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return now, errors.Join(err, s.ctx.Err())
}
