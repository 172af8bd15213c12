// Package workpool runs jobs on a bounded number of goroutines.
package workpool

import (
	"slices"
	"sync"
	"time"
)

// Pool is a bounded number of goroutines with a bounded queue. Goroutines start on demand,
// and end when they have been idle for workerIdle or a little longer, or with Close. Any
// goroutine.
type Pool struct {
	maxWorkers int
	maxQueue   int

	mu      sync.Mutex
	queue   []func()    // guarded by mu
	workers int         // guarded by mu: goroutines, but for those that end
	idle    []*worker   // guarded by mu: the last to become idle is the next to work
	unused  int         // guarded by mu: the first of idle, which have been so since the last retire
	timer   *time.Timer // guarded by mu: calls retire; nil while nobody is idle
	closes  int         // guarded by mu: calls of Close
}

// worker is a goroutine of a pool.
type worker struct {
	next   chan func() // room for one, so that sending never blocks; nil ends the worker
	closes int         // of the pool, when the worker started
}

// workerIdle is how long a goroutine waits for another job, at least.
const workerIdle = 10 * time.Second

// New returns a pool of at most workers goroutines and queue waiting jobs.
func New(workers, queue int) *Pool {
	return &Pool{maxWorkers: max(workers, 1), maxQueue: max(queue, 0)}
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
	n := len(p.idle)
	switch {
	case n > 0:
		w := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.unused = min(p.unused, n-1)
		w.next <- job
	case p.workers < p.maxWorkers:
		p.start(job)
	case len(p.queue) < p.maxQueue:
		p.queue = append(p.queue, job)
	default:
		return false
	}
	return true
}

// start starts a worker. p.mu is held.
func (p *Pool) start(job func()) {
	p.workers++
	w := &worker{next: make(chan func(), 1), closes: p.closes}
	go p.work(w, job)
}

func (p *Pool) work(w *worker, job func()) {
	defer func() {
		if job != nil {
			p.replace() // the job called runtime.Goexit
		}
	}()
	for job != nil {
		job()
		if job = p.queued(w); job == nil {
			job = <-w.next
		}
	}
}

// queued removes the first job from the queue. If there is none, the worker becomes idle,
// or ends if the pool has been closed.
func (p *Pool) queued(w *worker) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	job := p.pop()
	if job == nil {
		p.idle = append(p.idle, w)
		switch {
		case w.closes != p.closes:
			p.end(len(p.idle)-1, len(p.idle))
		case p.timer == nil:
			p.timer = time.AfterFunc(workerIdle, p.retire)
		}
	}
	return job
}

// pop removes the first job from the queue; nil if it is empty. p.mu is held.
func (p *Pool) pop() func() {
	if len(p.queue) == 0 {
		return nil
	}
	job := p.queue[0]
	p.queue[0] = nil
	p.queue = p.queue[1:]
	return job
}

// replace starts a worker in place of one that a job has ended, if jobs are queued.
func (p *Pool) replace() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.workers--
	if job := p.pop(); job != nil {
		p.start(job)
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
		close(w.next)
	}
	p.idle = slices.Delete(p.idle, from, to)
	p.workers -= to - from
}
