package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"
)

// tagged makes connections that each request a deferred response with a unique tag.
// Every other connection is reset before the response, so that a new client gets its
// descriptor while the response is pending.
func tagged(t *trial) error {
	const connections, workers = 200_000, 256
	s, err := t.start()
	if err != nil {
		return err
	}
	if _, err := s.stats(); err != nil {
		return err
	}
	before := s.idleDescriptors(0)
	var next, right, foreign, lost atomic.Int64
	err = parallel(workers, func(int) error {
		for {
			i := next.Add(1)
			if i > connections {
				return nil
			}
			answered, err := askTagged(t.ctx, s.address, i)
			switch {
			case err != nil:
				return fmt.Errorf("connection %d: %w", i, err)
			case i%2 == 1:
			case answered == "":
				lost.Add(1)
			case answered != tag(i):
				foreign.Add(1)
			default:
				right.Add(1)
			}
		}
	})
	if err != nil {
		return err
	}
	equal(t, "responses with their own tag", right.Load(), connections/2)
	equal(t, "responses of others", foreign.Load(), 0)
	equal(t, "responses lost", lost.Load(), 0)
	open, err := s.awaitOpen(0, 5*time.Second)
	if err != nil {
		return err
	}
	equal(t, "connections left open", open, 0)
	if t.hasProc("descriptors") {
		equal(t, "descriptors", s.idleDescriptors(before), before)
	}
	return nil
}

func tag(i int64) string { return fmt.Sprintf("tag-%d", i) }

// askTagged returns the body of the response, and any bytes after it. With an odd i it
// does not wait for the response.
func askTagged(ctx context.Context, address string, i int64) (string, error) {
	c, err := dial(ctx, address)
	if err != nil {
		return "", err
	}
	defer c.reset()
	late := rand.N(20)
	if err := c.send(get(fmt.Sprintf("/defer?ms=%d&tag=%s", late, tag(i)))); err != nil {
		return "", err
	}
	if i%2 == 1 {
		time.Sleep(time.Duration(rand.N(20_000)) * time.Microsecond)
		return "", nil
	}
	a, err := c.answer()
	if err != nil {
		return "", nil // counted as lost
	}
	extra, _ := c.r.Peek(c.r.Buffered())
	return strings.Join([]string{a.body, string(extra)}, ""), nil
}
