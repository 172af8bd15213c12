//go:build linux

package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/eddynet/eddy/bench/proc"
	"github.com/eddynet/eddy/bench/sample"
)

// runComet sends a request on every connection that is answered later, and notifies all
// with one more. The elapsed time runs from the first connection to the last response,
// latencies from the notification. Memory is measured while all wait.
func (c *client) runComet() (s sample.Sample, err error) {
	before, own, err := c.usages()
	if err != nil {
		return s, err
	}
	start := time.Now()
	if err := c.connectWaiters(start.Add(c.timeout)); err != nil {
		return s, err
	}
	var waiting int64
	if c.pid != 0 {
		if waiting, err = proc.RSS(c.pid); err != nil {
			return s, err
		}
	}
	notified := time.Now()
	for _, k := range c.workers {
		k.start = notified
	}
	c.steady = true
	n, err := c.question("POST", "/notify")
	if err != nil {
		return s, err
	}
	if n != c.connections {
		return s, fmt.Errorf("%d were notified, want %d", n, c.connections)
	}
	if err := c.until(notified.Add(c.timeout), int64(c.connections)); err != nil {
		return s, err
	}
	s.Elapsed, s.Requests = time.Since(start), c.count
	c.errors.Timeout += int64(c.connections) - c.count
	after, ownAfter, err := c.usages()
	if err != nil {
		return s, err
	}
	used := after.Since(before)
	s.CPU, s.User, s.System, s.Client = used.CPU, used.User, used.System, ownAfter.Since(own).CPU
	err = c.fill(&s)
	s.RSS = waiting
	return s, err
}

// connectWaiters makes all connections and returns when the server counts all as waiting.
func (c *client) connectWaiters(limit time.Time) error {
	for made := 0; made < c.connections; {
		for range min(128, c.connections-made) {
			k := &conn{role: holder}
			c.workers = append(c.workers, k)
			if err := c.introduce(k); err != nil {
				return err
			}
			made++
		}
		if err := c.sendAll(limit); err != nil {
			return err
		}
	}
	for waiting := 0; waiting != c.connections; {
		var err error
		if waiting, err = c.question("GET", "/count"); err != nil {
			return err
		}
		if time.Now().After(limit) {
			return fmt.Errorf("%d of %d wait after %v", waiting, c.connections, c.timeout)
		}
	}
	return nil
}

// sendAll runs the loop until every connection has sent its request.
func (c *client) sendAll(limit time.Time) error {
	for {
		pending := 0
		for _, k := range c.workers[max(0, len(c.workers)-128):] {
			if len(k.out) > 0 {
				pending++
			}
		}
		if pending == 0 {
			return nil
		}
		if c.lost > 0 || time.Now().After(limit) {
			return fmt.Errorf("%d connections have not sent their request: errors: %v: %w", pending, c.errors, c.cause)
		}
		if err := c.cycle(10); err != nil {
			return err
		}
	}
}

// question sends a request on a new connection and returns the number in the response.
func (c *client) question(method, path string) (int, error) {
	request, err := http.NewRequest(method, "http://"+c.address+path, strings.NewReader("now"))
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
