package main

import (
	"fmt"
	"net"
	"syscall"
	"time"
)

// startUnread runs a probe whose standard error is a pipe that nobody reads, and fills
// it with the stacks of panics.
func (t *trial) startUnread(args ...string) (*server, error) {
	const panics = 100 // their stacks take more than the 64 KiB that a pipe holds
	args = append([]string{"-listen", "127.0.0.1:0"}, args...)
	s := t.newServer(nil, args)
	s.unread = true
	if err := t.launch(s, args); err != nil {
		return nil, err
	}
	for range panics {
		c, err := dial(t.ctx, s.address)
		if err != nil {
			return nil, err
		}
		a, err := c.do(get("/panic"))
		c.reset()
		if err != nil || a.status != 500 {
			return nil, fmt.Errorf("/panic: status %d, %w", a.status, err)
		}
	}
	return s, nil
}

// startDiscarding runs a probe whose standard error is /dev/null.
func (t *trial) startDiscarding(args ...string) (*server, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := ln.Addr().String()
	if err := ln.Close(); err != nil {
		return nil, err
	}
	s := t.newServer(nil, append([]string{"-listen", address}, args...))
	s.address = address
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	t.servers = append(t.servers, s)
	go func() {
		_ = s.cmd.Wait() // status asks the state
		close(s.ended)
	}()
	for {
		if c, err := dial(t.ctx, address); err == nil {
			return s, c.Close()
		}
		if err := t.pause(10 * time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// unreadLog compares a log that nobody reads with one that is thrown away.
func unreadLog(t *trial) error {
	const rounds, most = 10, percent(5)
	if !t.has("wrk", "load with an access log") {
		return nil
	}
	discarding, err := t.startDiscarding("-access-log")
	if err != nil {
		return err
	}
	unread, err := t.startUnread("-access-log")
	if err != nil {
		return err
	}
	// What else the machine does takes from both: more rounds come closer to the truth.
	var best [2]float64
	var lost percent
	for round := 0; round < 3 || round < rounds && lost > most; round++ {
		for i, s := range []*server{discarding, unread} {
			out, err := t.command("wrk", "-c", "64", "-d", "2", "-t", "1", "http://"+s.address+"/plaintext")
			if err != nil {
				return fmt.Errorf("wrk: %w: %s", err, out)
			}
			if trouble := wrkTrouble(out); trouble != "none" {
				return fmt.Errorf("wrk: %s", trouble)
			}
			best[i] = max(best[i], wrkRate(out))
		}
		lost = percent(100 * (1 - best[1]/best[0]))
	}
	atMost(t, "unread access log: throughput lost against /dev/null", lost, most)
	c, err := unread.stats()
	if err != nil {
		return err
	}
	atLeast(t, "unread access log: lines counted as lost", c.LogDropped, 1)
	return discarding.terminate(10 * time.Second)
}

// unreadEnd ends servers whose log nobody reads: with a drain that can end, and with
// one that cannot, which is an error that has to be logged.
func unreadEnd(t *trial) error {
	const limit = 2 * time.Second
	for _, held := range []bool{false, true} {
		what, code, args := "unread log, SIGTERM", 0, []string{"-drain", limit.String()}
		if held {
			what, code, args = "unread access log, SIGTERM with an answer that does not end", 1, append(args, "-access-log")
		}
		s, err := t.startUnread(args...)
		if err != nil {
			return err
		}
		if held {
			c, err := dial(t.ctx, s.address)
			if err != nil {
				return err
			}
			defer c.reset()
			if err := c.send(get("/wait")); err != nil {
				return err
			}
			if _, err := c.head(); err != nil {
				return err
			}
		}
		from := time.Now()
		if err := s.signal(syscall.SIGTERM); err != nil {
			return err
		}
		got, err := s.status(10 * time.Second)
		if err != nil {
			return err
		}
		atMost(t, what+": ended after", time.Since(from).Round(time.Millisecond), limit+overtime+t.margin)
		equal(t, what+": exit status", got, code)
	}
	return nil
}
