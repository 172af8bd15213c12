package http1_test

import (
	"runtime"
	"testing"

	"github.com/eddynet/eddy/http1"
)

// TestPoolOutlivesGoexit: a job that ends its goroutine costs the pool nothing, and
// those behind it in the queue have their turn.
func TestPoolOutlivesGoexit(t *testing.T) {
	pool := http1.NewPool(1, 2)
	for range 3 {
		hold, done := make(chan bool), make(chan bool, 2)
		expect(t, "room for a worker", pool.Go(func() { <-hold; runtime.Goexit() }), true)
		expect(t, "room in the queue", pool.Go(func() { done <- true; runtime.Goexit() }), true)
		expect(t, "room in the queue", pool.Go(func() { done <- true }), true)
		expect(t, "room beyond it", pool.Go(func() {}), false)
		close(hold)
		await(t, "the second job", done)
		await(t, "the third job", done)
		// The worker is idle now, or about to be: the queue is empty.
	}
}
