// Package workpool runs jobs on a bounded number of goroutines.
package workpool

import (
	"slices"
	"sync"
	"time"
)

// Pool is a bounded number of goroutines with a bounded queue. Goroutines start on demand,
// and end when they have been idle for workerIdle, or with Close. Any goroutine.
//
// A goroutine that takes a job while others are queued wakes the next one, which has them if
// the job blocks or another processor is free. Short jobs so run in a row, on a warm stack.
type Pool struct {
	maxWorkers int
	maxJobs    int // queued and running

	mu      sync.Mutex
	queue   []func()    // guarded by mu: after batch
	batch   []func()    // guarded by mu: queued from next on
	next    int         // guarded by mu
	jobs    int         // guarded by mu: queued and running
	waking  bool        // guarded by mu: a worker is about to look at the queue
	workers int         // guarded by mu: goroutines, but for those that end
	idle    []*worker   // guarded by mu: the last to become idle is the next to work
	unused  int         // guarded by mu: the first of idle, which have been so since the last retire
	timer   *time.Timer // guarded by mu: calls retire; nil while nobody is idle
	closes  int         // guarded by mu: calls of Close
}

// worker is a goroutine of a pool.
type worker struct {
	wake   chan struct{} // room for one, so that sending never blocks; closed for the end
	closes int           // of the pool, when the worker started
}

// workerIdle is how long a goroutine waits for another job, at least; at most it is twice as long.
const workerIdle = 4 * time.Second

// maxKept is the number of jobs whose place in the queue is kept for others.
const maxKept = 1024

// New returns a pool of at most workers goroutines and queue waiting jobs.
func New(workers, queue int) *Pool {
	workers = max(workers, 1)
	return &Pool{maxWorkers: workers, maxJobs: workers + max(queue, 0)}
}

// Close ends idle goroutines at once, and the others when the queue is empty. It does not
// wait for them. Without it, idle goroutines remain for workerIdle. A job after Close starts
// a goroutine again.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closes++
	p.end(0, len(p.idle))
	p.unused = 0
}

// Go runs job on a goroutine of the pool, and reports whether there was room for it.
func (p *Pool) Go(job func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.jobs == p.maxJobs {
		return false
	}
	p.jobs++
	p.queue = append(p.queue, job)
	p.wake()
	return true
}

// wake has another worker look at the queue, unless one is about to. p.mu is held.
func (p *Pool) wake() {
	n := len(p.idle)
	switch {
	case p.waking || n == 0 && p.workers == p.maxWorkers:
		return
	case n == 0:
		p.workers++
		go p.work(&worker{wake: make(chan struct{}, 1), closes: p.closes})
	default:
		p.idle[n-1].wake <- struct{}{}
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.unused = min(p.unused, n-1)
	}
	p.waking = true
}

func (p *Pool) work(w *worker) {
	var job func()
	defer func() {
		if job != nil {
			p.replace() // the job called runtime.Goexit
		}
	}()
	for awake := true; awake; _, awake = <-w.wake {
		for job = p.take(w, true); job != nil; job = p.take(w, false) {
			job()
		}
	}
}

// take removes the first job from the queue, for a worker that was woken or has done another
// one. If there is none, the worker becomes idle.
func (p *Pool) take(w *worker, woken bool) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if woken {
		p.waking = false
	} else {
		p.jobs--
	}
	if p.next == len(p.batch) {
		if cap(p.batch) > maxKept {
			p.batch = nil // memory returns after a spike
		}
		p.batch, p.queue, p.next = p.queue, p.batch[:0], 0
	}
	if len(p.batch) == 0 {
		p.becomeIdle(w)
		return nil
	}
	job := p.batch[p.next]
	p.batch[p.next] = nil
	if p.next++; p.queued() {
		p.wake()
	}
	return job
}

// queued reports whether a job waits for a worker. p.mu is held.
func (p *Pool) queued() bool { return p.next < len(p.batch) || len(p.queue) > 0 }

// becomeIdle has a worker wait, or ends it if the pool has been closed. p.mu is held.
func (p *Pool) becomeIdle(w *worker) {
	p.idle = append(p.idle, w)
	switch {
	case w.closes != p.closes:
		p.end(len(p.idle)-1, len(p.idle))
	case p.timer == nil:
		p.timer = time.AfterFunc(workerIdle, p.retire)
	}
}

// replace has another worker continue for one that a job has ended.
func (p *Pool) replace() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.workers--
	p.jobs--
	if p.queued() {
		p.wake()
	}
}

// retire ends the workers that have been idle since it was last called.
func (p *Pool) retire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end(0, p.unused)
	p.unused = len(p.idle)
	if p.timer = nil; p.unused > 0 {
		p.timer = time.AfterFunc(workerIdle, p.retire)
	}
}

// end ends idle workers. p.mu is held.
func (p *Pool) end(from, to int) {
	for _, w := range p.idle[from:to] {
		close(w.wake)
	}
	p.idle = slices.Delete(p.idle, from, to)
	p.workers -= to - from
}
