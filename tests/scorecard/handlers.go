package main

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// panicsInTheLoad sends one request in a hundred to a handler that panics.
func panicsInTheLoad(t *trial) error {
	const workers, each = 50, 400
	s, err := t.start()
	if err != nil {
		return err
	}
	var right, refused atomic.Int64
	err = parallel(workers, func(w int) error {
		var c *client
		for i := range each {
			if c == nil {
				var err error
				if c, err = dial(t.ctx, s.address); err != nil {
					return err
				}
			}
			if (i+w)%100 != 0 {
				if err := c.want(get("/plaintext"), "Hello, World!"); err != nil {
					return err
				}
				right.Add(1)
				continue
			}
			if a, err := c.do(get("/panic")); err == nil && a.status == 500 {
				refused.Add(1)
			}
			c.reset()
			c = nil
		}
		if c != nil {
			c.reset()
		}
		return nil
	})
	if err != nil {
		return err
	}
	const panics = workers * each / 100
	equal(t, "panics: other requests answered", right.Load(), workers*each-panics)
	equal(t, "panics: answered with 500", refused.Load(), panics)
	c, err := s.stats()
	equal(t, "panics: counted", c.Panics, panics)
	reported := 0
	for _, line := range s.logged() {
		if strings.Contains(line, "asked for by /panic") {
			reported++
		}
	}
	t.check("panics: in the log", fmt.Sprint(reported), "at least 1", reported > 0)
	return err
}

// spinner blocks one of two loops. Connections of the other loop are not delayed, and
// the log names the handler.
func spinner(t *trial) error {
	const clients, hold, rounds = 32, 300 * time.Millisecond, 10
	s, err := t.start("-loops", "2")
	if err != nil {
		return err
	}
	crowd, err := dialMany(t.ctx, s.address, clients, dial)
	if err != nil {
		return err
	}
	defer closeAll(crowd)
	for _, c := range crowd {
		if err := c.want(get("/plaintext"), "Hello, World!"); err != nil {
			return err
		}
	}
	// The first round finds the connections on the loop of the first one.
	var others []*client
	for i := range rounds {
		asking := crowd[1:]
		if i > 0 {
			asking = others
		}
		took, err := askDuringSpin(crowd[0], asking, hold)
		if err != nil {
			return err
		}
		if i > 0 {
			slices.Sort(took)
			if worst := took[len(took)-1]; worst > hold/3 || i == rounds-1 {
				atMost(t, fmt.Sprintf("spin: %d on the other loop, slowest in round %d", len(others), i), worst.Round(time.Microsecond), hold/3)
			}
			continue
		}
		for j, c := range asking {
			if took[j] < hold/2 {
				others = append(others, c)
			}
		}
		if len(others) == 0 {
			return fmt.Errorf("none of %d connections is on the other loop", clients-1)
		}
	}
	line := "none"
	for _, l := range s.logged() {
		if strings.Contains(l, "WARN") && strings.Contains(l, "loop") && strings.Contains(l, "main.spin") {
			line = "a warning that names the handler"
		}
	}
	t.check("spin: in the log", line, "a warning that the loop is blocked, with the stack", line != "none")
	return nil
}

// askDuringSpin returns the durations of the clients' requests sent while the spinning
// one is in flight.
func askDuringSpin(spinning *client, asking []*client, hold time.Duration) ([]time.Duration, error) {
	if err := spinning.send(get(fmt.Sprintf("/spin?ms=%d", hold.Milliseconds()))); err != nil {
		return nil, err
	}
	time.Sleep(20 * time.Millisecond)
	took := make([]time.Duration, len(asking))
	err := parallel(len(asking), func(i int) error {
		from := time.Now()
		err := asking[i].want(get("/plaintext"), "Hello, World!")
		took[i] = time.Since(from)
		return err
	})
	if err != nil {
		return nil, err
	}
	a, err := spinning.answer()
	if err == nil && a.body != "spun" {
		err = fmt.Errorf("spin: response %d, %.40q", a.status, a.body)
	}
	return took, err
}
