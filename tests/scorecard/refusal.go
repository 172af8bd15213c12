package main

import (
	"fmt"
	"strings"
	"sync/atomic"
)

// refusedWhileSending counts the clients that receive a 413 although they send all of a
// body that is too long before they read.
func refusedWhileSending(t *trial) error {
	const clients, workers, length = 1000, 8, 8 << 20
	s, err := t.start()
	if err != nil {
		return err
	}
	body := strings.Repeat("x", length)
	chunk := strings.Repeat("x", 64<<10)
	chunks := strings.Repeat(fmt.Sprintf("%x\r\n%s\r\n", len(chunk), chunk), length/len(chunk)) + "0\r\n\r\n"
	for _, kind := range []struct{ name, request string }{
		{"with a length", post("/echo", body)},
		{"in chunks", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks},
	} {
		var next, refused, cut atomic.Int64
		err := parallel(workers, func(int) error {
			for next.Add(1) <= clients {
				c, err := dial(t.ctx, s.address)
				if err != nil {
					return err
				}
				if c.send(kind.request) != nil {
					cut.Add(1)
				}
				if a, err := c.answer(); err == nil && a.status == 413 {
					refused.Add(1)
				}
				c.reset()
			}
			return nil
		})
		if err != nil {
			return err
		}
		t.check(kind.name, fmt.Sprintf("%d of %d received 413", refused.Load(), clients), "all", refused.Load() == clients)
		t.check(kind.name, fmt.Sprintf("%d could not send everything", cut.Load()), "none", cut.Load() == 0)
	}
	return nil
}
