package main

import (
	"fmt"
	"slices"
	"time"
)

// deadline is the timeout of heads, bodies and responses in trials with slow clients.
const deadline = 3 * time.Second

// slowHTTP attacks with slowhttptest, with a healthy client at the same time.
func slowHTTP(name, mode, path string, more ...string) func(*trial) error {
	return func(t *trial) error {
		const clients, rate = "500", "250"
		if !t.has("slowhttptest", name) {
			return nil
		}
		d := deadline.String()
		s, err := t.start("-header-timeout", d, "-body-timeout", d, "-write-timeout", d, "-idle-timeout", d)
		if err != nil {
			return err
		}
		p, err := probe(t.ctx, s.address, 5*time.Millisecond)
		if err != nil {
			return err
		}
		attack := make(chan error, 1)
		go func() {
			args := []string{mode, "-c", clients, "-r", rate, "-l", "12", "-p", "3", "-u", "http://" + s.address + path}
			out, err := t.command("slowhttptest", append(args, more...)...)
			if err != nil {
				err = fmt.Errorf("slowhttptest: %w: %s", err, out)
			}
			attack <- err
		}()
		most, lasted, err := s.lifetime(10 * time.Second)
		if err != nil {
			return err
		}
		if err := <-attack; err != nil {
			return err
		}
		took, err := p.stop()
		if err != nil {
			return err
		}
		atLeast(t, name+": concurrent attackers", most, 400)
		atMost(t, name+": all closed after", lasted.Round(time.Millisecond), deadline+time.Second)
		t.info(name+": healthy requests", len(took))
		atMost(t, name+": healthy p99", quantile(took, 0.99), 50*time.Millisecond)
		return nil
	}
}

// lifetime watches the number of open connections. lasted is the time from the maximum,
// most, until the last one was closed.
func (s *server) lifetime(watch time.Duration) (most int, lasted time.Duration, err error) {
	const own = 3 // the healthy client's, and those of slowhttptest's own checks
	var peak, last time.Time
	for end := time.Now().Add(watch); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		c, err := s.stats()
		if err != nil {
			return 0, 0, err
		}
		now := time.Now()
		if c.open() > most {
			most, peak = c.open(), now
		}
		if c.open() > own {
			last = now
		}
	}
	return most, last.Sub(peak), nil
}

// silentCrowd makes connections without a request. Other clients are not affected. The
// connections are closed at the deadline of a request.
func silentCrowd(t *trial) error {
	const clients, limit = 10_000, 10 * time.Second
	s, err := t.start("-header-timeout", limit.String(), "-idle-timeout", limit.String())
	if err != nil {
		return err
	}
	from := time.Now()
	crowd, err := dialMany(t.ctx, s.address, clients, dial)
	if err != nil {
		return err
	}
	defer closeAll(crowd)
	connected := time.Since(from)
	t.info("silent clients: connected within", connected.Round(time.Millisecond))
	if t.has("curl", "curl meanwhile") {
		var took []time.Duration
		for range 20 {
			at := time.Now()
			if out, err := t.command("curl", "-sS", "-m", "5", "http://"+s.address+"/plaintext"); err != nil || out != "Hello, World!" {
				return fmt.Errorf("curl: %w: %s", err, out)
			}
			took = append(took, time.Since(at))
		}
		slices.Sort(took)
		t.info("curl meanwhile, median", quantile(took, 0.5))
		atMost(t, "curl meanwhile, slowest of 20", quantile(took, 1), time.Second)
	}
	c, err := s.stats()
	if err != nil {
		return err
	}
	atLeast(t, "silent clients: open", c.open(), clients)
	_ = parallel(clients, func(i int) error { crowd[i].ended(from); return nil })
	within(t, "silent clients: the last one is closed after", time.Since(from), limit, (limit + connected + time.Second).Round(time.Millisecond))
	closeAll(crowd)
	open, err := s.awaitOpen(0, time.Second)
	equal(t, "silent clients: open at the end", open, 0)
	return err
}

// closedOnTime measures when stalled clients are closed.
func closedOnTime(t *trial) error {
	const clients = 50
	d := deadline.String()
	s, err := t.start("-header-timeout", d, "-body-timeout", d, "-idle-timeout", d)
	if err != nil {
		return err
	}
	for _, kind := range []struct{ name, begin, drip string }{
		{"silent", "", ""},
		{"silent in a head", "GET / HTTP/1.1\r\n", ""},
		{"silent in a body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", ""},
		{"silent after an answer", get("/plaintext"), ""},
		{"a byte a second of a head", "GET / HTTP/1.1\r\nX: ", "y"},
		{"a byte a second of a body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", "y"},
	} {
		late := make([]time.Duration, clients)
		err := parallel(clients, func(i int) error {
			c, err := dial(t.ctx, s.address)
			if err != nil {
				return err
			}
			defer c.reset()
			if err := c.send(kind.begin); err != nil {
				return err
			}
			from := time.Now()
			if kind.drip != "" {
				go func() {
					for c.send(kind.drip) == nil {
						time.Sleep(time.Second)
					}
				}()
			}
			late[i] = c.ended(from) - deadline
			return nil
		})
		if err != nil {
			return err
		}
		slices.Sort(late)
		t.check(kind.name+": closed off the deadline by",
			fmt.Sprintf("%v to %v", late[0].Round(time.Millisecond), late[clients-1].Round(time.Millisecond)),
			"-50ms to 1s; 100ms is the aim", late[0] > -50*time.Millisecond && late[clients-1] < time.Second)
	}
	return nil
}
