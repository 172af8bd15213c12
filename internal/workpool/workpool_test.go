package workpool_test

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eddynet/eddy/internal/workpool"
)

// patience bounds every wait of a test.
const patience = 10 * time.Second

// start expects that Go reports want.
func start(t *testing.T, pool *workpool.Pool, want bool, job func()) {
	t.Helper()
	if got := pool.Go(job); got != want {
		t.Fatalf("Go reports %v, want %v", got, want)
	}
}

// await waits for a value.
func await(t *testing.T, ch <-chan bool) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(patience):
		t.Fatal("a job has not run")
	}
}

// TestPoolOutlivesGoexit: a job that ends its goroutine leaves the pool at full size, and
// the jobs queued after it run.
func TestPoolOutlivesGoexit(t *testing.T) {
	pool := workpool.New(1, 2)
	t.Cleanup(pool.Close)
	for range 3 {
		hold, begun, done := make(chan bool), make(chan bool, 1), make(chan bool, 2)
		start(t, pool, true, func() { begun <- true; <-hold; runtime.Goexit() })
		await(t, begun) // the worker may not have been idle yet: now the queue is empty
		start(t, pool, true, func() { done <- true; runtime.Goexit() })
		start(t, pool, true, func() { done <- true })
		start(t, pool, false, func() {})
		close(hold)
		await(t, done)
		await(t, done)
	}
}

// poolGoroutines counts the goroutines of all pools, or of those in a bubble of synctest.
func poolGoroutines(where string) (n int) {
	buf := make([]byte, 1<<20)
	for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(stack, where) && strings.Contains(stack, "workpool.(*Pool).work(") {
			n++
		}
	}
	return n
}

// awaitPools waits until at most n goroutines of pools are left, for much less time than
// idle ones wait for a job.
func awaitPools(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(patience / 4); poolGoroutines("") > n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines are left, of which %d existed before", poolGoroutines(""), n)
		}
	}
}

// TestPoolCloses: idle goroutines end at once, others when their jobs are done, and the
// pool can be used again.
func TestPoolCloses(t *testing.T) {
	before := poolGoroutines("")
	pool := workpool.New(3, 1)
	hold, done := make(chan bool), make(chan bool, 3)
	work := func() { <-hold; done <- true }
	for range 2 {
		start(t, pool, true, func() { done <- true })
		await(t, done)
		start(t, pool, true, work)
		start(t, pool, true, work)
		pool.Close()
		start(t, pool, true, work)
		for range 3 {
			hold <- true
			await(t, done)
		}
		pool.Close()
		awaitPools(t, before)
	}
}

// TestIdleGoroutinesEnd: those that were not needed for workerIdle end, the others stay.
func TestIdleGoroutinesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := workpool.New(8, 0)
		hold := make(chan bool)
		for range 8 {
			start(t, pool, true, func() { <-hold })
		}
		close(hold)
		for range 30 { // one goroutine is enough now
			synctest.Wait()
			start(t, pool, true, func() {})
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if n := poolGoroutines("bubble"); n != 1 {
			t.Errorf("%d goroutines, want the one that is in use", n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := poolGoroutines("bubble"); n != 0 {
			t.Errorf("%d goroutines, want none", n)
		}
	})
}

// TestJobsThatBlockDelayNoOthers: jobs that come together run together.
func TestJobsThatBlockDelayNoOthers(t *testing.T) {
	const jobs = 50
	pool := workpool.New(jobs+1, 0)
	t.Cleanup(pool.Close)
	hold, begun := make(chan bool), make(chan bool)
	defer close(hold)
	for range jobs {
		start(t, pool, true, func() { begun <- true; <-hold })
	}
	for range jobs {
		await(t, begun)
	}
	start(t, pool, true, func() { begun <- true })
	await(t, begun)
}

// TestJobsInARowShareAGoroutine: a second one looks for more jobs, and finds none.
func TestJobsInARowShareAGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		pool := workpool.New(100, 0)
		t.Cleanup(pool.Close)
		start(t, pool, true, func() {
			for range 50 {
				start(t, pool, true, func() {})
			}
		})
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n > 10 {
			t.Errorf("%d goroutines for jobs that do not block", n)
		}
	})
}
