package main

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// spike sends 2,000 bodies of 1 MiB concurrently, and then nothing.
func spike(t *trial) error {
	const clients, near, patience = 2000, 32 * miB, 30 * time.Second
	if !t.hasProc("memory after a spike") {
		return nil
	}
	s, err := t.start()
	if err != nil {
		return err
	}
	if _, err := s.stats(); err != nil {
		return err
	}
	base := resident(s.pid())
	u := observe(s.pid())
	body := strings.Repeat("x", 1<<20)
	request := post("/echo", body)
	crowd, err := dialMany(t.ctx, s.address, clients, dial)
	if err != nil {
		return err
	}
	defer closeAll(crowd)
	step := func(f func(c *client) error) error {
		return parallel(64, func(w int) error {
			for i := w; i < clients; i += 64 {
				if err := f(crowd[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := step(func(c *client) error { return c.send(request[:len(request)-1]) }); err != nil {
		return err
	}
	if err := step(func(c *client) error { return c.want(request[len(request)-1:], body) }); err != nil {
		return err
	}
	growth, _ := u.stop()
	t.info("memory before, and growth with 2,000 × 1 MiB", fmt.Sprintf("%v, %v", base, growth))
	from := time.Now()
	now := resident(s.pid())
	for now > base+near && time.Since(from) < 2*patience {
		if err := t.pause(200 * time.Millisecond); err != nil {
			return err
		}
		now = resident(s.pid())
	}
	atMost(t, fmt.Sprintf("within %v of the base after", near), time.Since(from).Round(100*time.Millisecond), patience)
	if err := t.pause(2 * time.Second); err != nil {
		return err
	}
	t.info("memory at the end", resident(s.pid()))
	return nil
}

// churn makes many requests on short-lived connections.
func churn(t *trial) error {
	const workers, batch = 16, 50
	// The shorter trial varies more with garbage collections.
	requests, bound := int64(1_000_000), percent(3)
	if t.long {
		requests, bound = 10_000_000, 1
	}
	if !t.hasProc("churn") {
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

	pipeline := strings.Repeat(get("/plaintext")+post("/echo", "0123456789")+get("/json")+get("/dump")+get("/defer?ms=0"), batch/5)
	var done atomic.Int64
	ended := make(chan error, 1)
	from := time.Now()
	go func() {
		ended <- parallel(workers, func(w int) error {
			for i := w; done.Load() < requests; i++ {
				if err := churnOne(t, s.address, pipeline, batch, 1+i%4, &done); err != nil {
					return err
				}
			}
			return nil
		})
	}()
	var third, fourth []size // quarters
	for running := true; running; {
		select {
		case err := <-ended:
			if err != nil {
				return err
			}
			running = false
		case <-time.After(50 * time.Millisecond):
			switch n := done.Load(); {
			case n >= requests*3/4:
				fourth = append(fourth, resident(s.pid()))
			case n >= requests/2:
				third = append(third, resident(s.pid()))
			}
		}
	}
	if len(third) == 0 || len(fourth) == 0 {
		return fmt.Errorf("too short to measure: %v", time.Since(from))
	}
	t.info("requests", fmt.Sprintf("%d in %v", done.Load(), time.Since(from).Round(time.Millisecond)))
	a, b := median(third), median(fourth)
	t.info("memory in the third quarter and the fourth", fmt.Sprintf("%v, %v", a, b))
	atMost(t, "growth from the third quarter to the fourth", percent(100*float64(b-a)/float64(a)), bound)
	open, err := s.awaitOpen(0, 5*time.Second)
	if err != nil {
		return err
	}
	equal(t, "connections at the end", open, 0)
	equal(t, "descriptors at the end", s.idleDescriptors(before), before)
	now, err := s.awaitGoroutines(goroutines)
	equal(t, "goroutines at the end", now, goroutines)
	return err
}

func median(samples []size) size {
	slices.Sort(samples)
	return samples[len(samples)/2]
}

// churnOne sends some batches of requests on one connection.
func churnOne(t *trial, address, pipeline string, batch, rounds int, done *atomic.Int64) error {
	c, err := dial(t.ctx, address)
	if err != nil {
		return err
	}
	defer c.reset()
	for range rounds {
		if err := c.send(pipeline); err != nil {
			return err
		}
		for range batch {
			a, err := c.answer()
			if err != nil {
				return err
			}
			if a.status != 200 {
				return fmt.Errorf("status %d", a.status)
			}
		}
		done.Add(int64(batch))
	}
	return nil
}
