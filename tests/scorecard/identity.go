package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"
)

// tagged makes connections that each ask for a late answer with a tag of their own.
// Every other one resets before it comes, so that its descriptor is given to a new
// client while the answer is on its way.
func tagged(t *trial) error {
	const connections, workers = 200_000, 256
	s, err := t.start()
	if err != nil {
		return err
	}
	if _, err := s.stats(); err != nil {
		return err
	}
	before := s.rest(0)
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
	equal(t, "answers with their own tag", right.Load(), connections/2)
	equal(t, "answers of others", foreign.Load(), 0)
	equal(t, "answers lost", lost.Load(), 0)
	open, err := s.awaitOpen(0, 5*time.Second)
	if err != nil {
		return err
	}
	equal(t, "connections left open", open, 0)
	if t.hasProc("descriptors") {
		equal(t, "descriptors", s.rest(before), before)
	}
	return nil
}

func tag(i int64) string { return fmt.Sprintf("tag-%d", i) }

// askTagged returns the body of the answer, and everything behind it. Those with an
// odd number do not wait for it.
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
		return "", nil // it counts as lost
	}
	behind, _ := c.r.Peek(c.r.Buffered())
	return strings.Join([]string{a.body, string(behind)}, ""), nil
}
