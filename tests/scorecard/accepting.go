package main

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// fewDescriptors has more clients than descriptors. The first clients keep their
// connections for a while; the others wait in the accept queue.
func fewDescriptors(name string, args ...string) func(*trial) error {
	return func(t *trial) error {
		const clients, hold = 120, 10 * time.Second
		if !t.has("prlimit", name) || !t.hasProc(name) {
			return nil
		}
		s, err := t.startUnder([]string{"prlimit", "--nofile=64"}, append([]string{"-listen", "127.0.0.1:0"}, args...)...)
		if err != nil {
			return err
		}
		var (
			served  atomic.Int64
			release = make(chan struct{})
			work    sync.WaitGroup
			first   = make(chan error, clients)
		)
		for range clients {
			work.Go(func() {
				c, err := dial(t.ctx, s.address)
				if err == nil {
					err = c.want(get("/plaintext"), "Hello, World!")
					served.Add(1)
					<-release
					c.reset()
				}
				first <- err
			})
		}
		if err := t.pause(500 * time.Millisecond); err != nil { // the first clients are served at once
			return err
		}
		u := observe(s.pid())
		err = t.pause(hold)
		_, cpu := u.stop()
		during := served.Load()
		close(release)
		from := time.Now()
		work.Wait()
		for range clients {
			if e := <-first; err == nil {
				err = e
			}
		}
		if err != nil {
			return err
		}
		lines := 0
		for _, line := range s.logged() {
			if strings.Contains(line, "not accepting") {
				lines++
			}
		}
		atMost(t, name+": processor", cpu, 5)
		t.info(name+": served at once", fmt.Sprintf("%d of %d", during, clients))
		t.check(name+": log lines", fmt.Sprint(lines), "1 to 8", 1 <= lines && lines <= 8)
		t.check(name+": all served, after", time.Since(from).Round(time.Millisecond).String(), "5s", time.Since(from) < 5*time.Second)
		_, err = s.stats()
		return err
	}
}
