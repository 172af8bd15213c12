package main

import (
	"fmt"
	"net"
	"time"
)

// startUnread runs a probe whose standard error is a pipe without a reader, filled with
// the stacks of panics.
func (t *trial) startUnread(args ...string) (*server, error) {
	const panics = 100 // their stacks exceed the 64 KiB of a pipe
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

// startDiscarding runs a probe with /dev/null as standard error, where it cannot report its port.
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
		_ = s.cmd.Wait() // status uses ProcessState
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

// unreadLog compares a log that nobody reads with one that is discarded.
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
	// Other work on the machine slows down both: more rounds improve the estimate.
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

// unreadEnd drains servers whose log nobody reads: without a request in flight, and with
// one that does not end, which is an error that has to be logged.
func unreadEnd(t *trial) error {
	const limit = 2 * time.Second
	for _, c := range []struct {
		name            string
		flags           []string
		waiting, status int
	}{
		{"unread log, SIGTERM", nil, 0, 0},
		{"unread access log, SIGTERM with a response that does not end", []string{"-access-log"}, 1, 1},
	} {
		s, err := t.startUnread(append(c.flags, "-drain", limit.String())...)
		if err != nil {
			return err
		}
		crowd, err := t.crowd(s, "/wait", c.waiting)
		if err != nil {
			return err
		}
		defer closeAll(crowd)
		if err := t.endsOnSignal(s, c.name, 0, limit, c.status); err != nil {
			return err
		}
	}
	return nil
}
