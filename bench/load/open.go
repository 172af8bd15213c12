//go:build linux

package main

import "time"

// openLoop sends at intended times, whatever the server does.
type openLoop struct {
	gap  time.Duration // between requests
	next time.Time     // the intended time of the next request
	free []*conn       // that have no request on the way
}

func newOpenLoop(rate float64) *openLoop {
	return &openLoop{gap: time.Duration(float64(time.Second) / rate)}
}

func (o *openLoop) begin(now time.Time, workers []*conn) {
	o.next = now
	o.free = append(o.free, workers...)
}

// due is the intended time of the next request, if it has come and there is a
// connection for it. Else the request waits, and its time counts from then.
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

// countUnsent adds the time that requests without a connection have waited.
func (c *client) countUnsent(now time.Time) {
	for o := c.open; o.next.Before(now); o.next = o.next.Add(o.gap) {
		_ = c.latency.RecordValue(min(max(1, int64(now.Sub(o.next))), int64(time.Minute))) // in range
	}
}
