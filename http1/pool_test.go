package http1_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy/http1"
)

// TestPoolOutlivesGoexit: a job that ends its goroutine costs the pool nothing, and
// those behind it in the queue have their turn.
func TestPoolOutlivesGoexit(t *testing.T) {
	pool := http1.NewPool(1, 2)
	t.Cleanup(pool.Close)
	for range 3 {
		hold, begun, done := make(chan bool), make(chan bool, 1), make(chan bool, 2)
		expect(t, "room for a worker", pool.Go(func() { begun <- true; <-hold; runtime.Goexit() }), true)
		await(t, "the first job", begun) // the worker may not have been idle yet: now the queue is empty
		expect(t, "room in the queue", pool.Go(func() { done <- true; runtime.Goexit() }), true)
		expect(t, "room in the queue", pool.Go(func() { done <- true }), true)
		expect(t, "room beyond it", pool.Go(func() {}), false)
		close(hold)
		await(t, "the second job", done)
		await(t, "the third job", done)
	}
}

// poolGoroutines counts the goroutines of all pools.
func poolGoroutines() int {
	buf := make([]byte, 1<<20)
	return strings.Count(string(buf[:runtime.Stack(buf, true)]), "http1.(*Pool).work(")
}

// awaitPools waits until no more than n goroutines of pools are left: for much less time
// than they wait for work.
func awaitPools(t *testing.T, n int) {
	t.Helper()
	for give := time.Now().Add(patience / 4); poolGoroutines() > n; time.Sleep(time.Millisecond) {
		if time.Now().After(give) {
			t.Fatalf("%d goroutines are left, of which %d were there before", poolGoroutines(), n)
		}
	}
}

// TestPoolCloses: idle goroutines end at once, others when their jobs are done, and the
// pool is of use afterwards.
func TestPoolCloses(t *testing.T) {
	before := poolGoroutines()
	pool := http1.NewPool(3, 1)
	hold, done := make(chan bool), make(chan bool, 3)
	work := func() { <-hold; done <- true }
	for range 2 {
		pool.Go(func() { done <- true })
		await(t, "a job", done)
		pool.Go(work)
		pool.Go(work)
		pool.Close()
		pool.Go(work)
		for range 3 {
			hold <- true
			await(t, "a job", done)
		}
		pool.Close()
		awaitPools(t, before)
	}
}
