// Package workpool runs jobs on a bounded number of goroutines.
package workpool

import (
	"sync"
	"time"
)

// Pool is a bounded number of goroutines with a bounded queue. Goroutines start on demand,
// and end when they have been idle for workerIdle, or with Close. Any goroutine.
type Pool struct {
	maxWorkers int
	maxQueue   int

	mu      sync.Mutex
	queue   []func()      // guarded by mu
	workers int           // guarded by mu: goroutines that exist
	idle    int           // guarded by mu: workers that wait, less the jobs in the channel
	stop    chan struct{} // guarded by mu: closed by Close; a worker keeps the one it was started with
	jobs    chan func()   // to idle workers; its capacity is maxWorkers, so that sending never blocks
}

// workerIdle is how long a goroutine waits for another job.
const workerIdle = 10 * time.Second

// New returns a pool of at most workers goroutines and queue waiting jobs.
func New(workers, queue int) *Pool {
	return &Pool{
		maxWorkers: max(workers, 1),
		maxQueue:   max(queue, 0),
		stop:       make(chan struct{}),
		jobs:       make(chan func(), max(workers, 1)),
	}
}

// Close ends idle goroutines at once, and the others when the queue is empty. It does not
// wait for them. Without it, idle goroutines remain for workerIdle. A job after Close starts
// a goroutine again.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.stop)
	p.stop = make(chan struct{})
}

// Go runs job on a goroutine of the pool, and reports whether there was room for it.
func (p *Pool) Go(job func()) bool {
	p.mu.Lock()
	switch {
	case p.idle > 0:
		p.idle--
		p.mu.Unlock()
		p.jobs <- job
		return true
	case p.workers < p.maxWorkers:
		p.workers++
		stop := p.stop
		p.mu.Unlock()
		go p.work(job, stop)
		return true
	case len(p.queue) < p.maxQueue:
		p.queue = append(p.queue, job)
		p.mu.Unlock()
		return true
	}
	p.mu.Unlock()
	return false
}

func (p *Pool) work(job func(), stop <-chan struct{}) {
	defer func() {
		if job != nil {
			p.replace() // the job called runtime.Goexit
		}
	}()
	timer := time.NewTimer(workerIdle)
	defer timer.Stop()
	for job != nil {
		job()
		if job = p.queued(); job != nil {
			continue
		}
		timer.Reset(workerIdle)
		select {
		case job = <-p.jobs:
		case <-timer.C:
			job = p.retire()
		case <-stop:
			job = p.retire()
		}
	}
}

// queued removes the first job from the queue. If there is none, the worker becomes idle.
func (p *Pool) queued() func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	job := p.pop()
	if job == nil {
		p.idle++
	}
	return job
}

// replace starts a worker in place of one that a job has ended, if jobs are queued.
func (p *Pool) replace() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if job := p.pop(); job != nil {
		go p.work(job, p.stop)
		return
	}
	p.workers--
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

// retire removes an idle worker. If a job has just been sent for each idle worker, it
// returns one of these instead.
func (p *Pool) retire() func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle == 0 {
		return <-p.jobs // Go unlocks before it sends, and needs no lock to do so
	}
	p.idle--
	p.workers--
	return nil
}
