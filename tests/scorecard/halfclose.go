package main

import (
	"fmt"
	"time"
)

// stopsSending half-closes connections after a complete request and in the middle of one.
func stopsSending(t *trial) error {
	const clients = 200
	s, err := t.start()
	if err != nil {
		return err
	}
	waiting, err := dialMany(t.ctx, s.address, clients, dial)
	if err != nil {
		return err
	}
	defer closeAll(waiting)
	for _, c := range waiting {
		if err := c.send(get("/sleep?ms=3000")); err != nil {
			return err
		}
		if err := c.CloseWrite(); err != nil {
			return err
		}
	}
	if err := t.pause(500 * time.Millisecond); err != nil {
		return err
	}
	u := observe(s.pid())
	err = t.pause(2 * time.Second)
	if _, cpu := u.stop(); t.hasProc("processor meanwhile") {
		atMost(t, "processor meanwhile", cpu, 2)
	}
	if err != nil {
		return err
	}
	answered := 0
	for _, c := range waiting {
		if a, err := c.answer(); err == nil && a.status == 200 && a.body == "slept" {
			answered++
		}
	}
	t.check("after a request", fmt.Sprintf("%d of %d answered", answered, clients), "all", answered == clients)

	for _, part := range []struct{ name, request string }{
		{"in a head", "GET /echo HTTP/1.1\r\nHo"},
		{"in a body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345"},
		{"in a chunk", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123"},
	} {
		c, err := dial(t.ctx, s.address)
		if err != nil {
			return err
		}
		defer c.reset()
		if err := c.send(part.request); err != nil {
			return err
		}
		from := time.Now()
		if err := c.CloseWrite(); err != nil {
			return err
		}
		a, err := c.answer()
		took := time.Since(from)
		t.check(part.name, fmt.Sprintf("status %d, %v, after %v", a.status, err, took.Round(time.Millisecond)),
			"closed within 1s, not handled", a.status != 200 && took < time.Second)
	}
	open, err := s.awaitOpen(0, 2*time.Second)
	equal(t, "left open", open, 0)
	return err
}
