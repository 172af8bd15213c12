//go:build linux

package main

import "time"

// openLoop sends requests at intended times, independent of responses.
type openLoop struct {
	gap  time.Duration // between requests
	next time.Time     // the intended time of the next request
	free []*conn       // without a request in flight
}

func newOpenLoop(rate float64) *openLoop {
	return &openLoop{gap: time.Duration(float64(time.Second) / rate)}
}

func (o *openLoop) begin(now time.Time, workers []*conn) {
	o.next = now
	o.free = append(o.free, workers...)
}

// due returns a connection and the intended time of the next request, if that time has
// passed and a connection is free. Otherwise the request waits, and its latency still
// counts from the intended time.
func (o *openLoop) due(now time.Time) (k *conn, intended time.Time) {
	if o.next.After(now) || len(o.free) == 0 {
		return nil, now
	}
	k, o.free = o.free[0], o.free[1:]
	intended, o.next = o.next, o.next.Add(o.gap)
	return k, intended
}

func (c *client) sendDue(now time.Time) {
	for {
		k, intended := c.open.due(now)
		if k == nil {
			return
		}
		c.ask(k, intended)
	}
}

// countUnsent records how long requests without a connection have waited.
func (c *client) countUnsent(now time.Time) {
	for o := c.open; o.next.Before(now); o.next = o.next.Add(o.gap) {
		c.recordLatency(now.Sub(o.next), 1)
	}
}
