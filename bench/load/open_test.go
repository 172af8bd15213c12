//go:build linux

package main

import (
	"testing"
	"time"
)

func TestLatencyCountsFromTheIntendedTime(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	a, b := &conn{}, &conn{}
	o := newOpenLoop(100) // every 10 ms
	o.begin(start, []*conn{a, b})

	expect := func(now int, want *conn, intended int) {
		t.Helper()
		k, when := o.due(at(now))
		if k != want || want != nil && !when.Equal(at(intended)) {
			t.Fatalf("at %d ms: %p for %v, want %p for %d ms", now, k, when.Sub(start), want, intended)
		}
	}
	expect(0, a, 0)
	expect(5, nil, 0) // not yet
	expect(12, b, 10)
	expect(25, nil, 0) // due, but no connection is free
	o.free = append(o.free, a)
	expect(60, a, 20) // due since 20 ms
	o.free = append(o.free, b)
	expect(60, b, 30)
}
