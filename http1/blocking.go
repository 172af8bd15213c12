package http1

import (
	"runtime/debug"
	"sync"
	"time"

	"github.com/eddynet/eddy/loop"
)

// Pool is a bounded number of goroutines, with a bounded queue before them, for
// handlers that block. Goroutines are started when there is work, and end when
// there has been none for a while, or with Close. Any goroutine may use it; one Pool
// may serve several handlers and servers.
type Pool struct {
	most     int // goroutines
	mostJobs int // in the queue

	mu      sync.Mutex
	queue   []func()      // guarded by mu
	workers int           // guarded by mu: goroutines that exist
	idle    int           // guarded by mu: of these, the ones that wait and are not promised a job
	stop    chan struct{} // guarded by mu: closed by Close; workers keep the one they were started with
	jobs    chan func()   // to workers that wait; a place for each, so that sending never blocks
}

// workerIdle is how long a goroutine waits for more work.
const workerIdle = 10 * time.Second

// NewPool returns a pool of at most workers goroutines, before which at most queue
// jobs wait.
func NewPool(workers, queue int) *Pool {
	return &Pool{
		most:     max(workers, 1),
		mostJobs: max(queue, 0),
		stop:     make(chan struct{}),
		jobs:     make(chan func(), max(workers, 1)),
	}
}

// Close ends the goroutines of the pool: those that wait for work at once, the others
// when they have none left. It does not wait for them. Call it when Run of the engine
// has returned, or idle goroutines remain for some seconds. A pool that gets more work
// after Close starts new goroutines for it. Any goroutine.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.stop)
	p.stop = make(chan struct{})
}

// Go runs job on a goroutine of the pool, and says whether there was room for it.
func (p *Pool) Go(job func()) bool {
	p.mu.Lock()
	switch {
	case p.idle > 0:
		p.idle--
		p.mu.Unlock()
		p.jobs <- job // a worker is waiting for it
		return true
	case p.workers < p.most:
		p.workers++
		stop := p.stop
		p.mu.Unlock()
		go p.work(job, stop)
		return true
	case len(p.queue) < p.mostJobs:
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
			p.replace() // runtime.Goexit has ended this goroutine
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

// queued takes a job off the queue. Without one, it counts the worker as idle.
func (p *Pool) queued() func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	job := p.pop()
	if job == nil {
		p.idle++
	}
	return job
}

// replace has another worker take the place of one that was lost in its job.
func (p *Pool) replace() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if job := p.pop(); job != nil {
		go p.work(job, p.stop)
		return
	}
	p.workers--
}

// pop takes the first job off the queue, if there is one. p.mu is held.
func (p *Pool) pop() func() {
	if len(p.queue) == 0 {
		return nil
	}
	job := p.queue[0]
	p.queue[0] = nil
	p.queue = p.queue[1:]
	return job
}

// retire ends an idle worker, unless one of the idle was just promised a job, which
// it then takes.
func (p *Pool) retire() func() {
	p.mu.Lock()
	if p.idle > 0 {
		p.idle--
		p.workers--
		p.mu.Unlock()
		return nil
	}
	p.mu.Unlock()
	return <-p.jobs
}

// Blocking returns a Handler that runs h on a goroutine of the pool, where it may
// block. When pool and queue are full, the client gets 503 with Retry-After. There,
// w gathers the answer, which is sent when h returns: its methods that reach the
// connection (Defer, Stream, Upgrade, Hijack, Finish, Loop) must not be called. r is
// valid until h returns, and r.Context is cancelled when the client has gone or the
// time of Options.HandlerTimeout is up.
func Blocking(h Handler, pool *Pool) Handler {
	return func(w *Response, r *Request) {
		d := w.Defer()
		job := &blockingJob{handler: h, deferred: d, request: *r}
		job.request.context = d.Context
		if pool.Go(job.run) {
			w.Loop().Yield()
			return
		}
		_ = d.Respond((*Response).Busy) // an error says that the client is gone
	}
}

// blockingJob is one request on its way through a pool.
type blockingJob struct {
	handler  Handler
	deferred *Deferred
	request  Request  // shares the bytes of the one on the loop
	response Response // gathered here, moved over there
}

func (j *blockingJob) run() {
	j.response.begin()
	j.response.request = &j.request
	err := j.call()
	_ = j.deferred.Respond(func(w *Response) { // else the client is gone
		if err != nil {
			panic(err) // reported, and answered, as one of a handler on the loop
		}
		w.adopt(&j.response)
	})
}

// call runs the handler and returns its panic, if it panicked.
func (j *blockingJob) call() (err *loop.PanicError) {
	defer func() {
		if v := recover(); v != nil {
			err = &loop.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	j.handler(&j.response, &j.request)
	return nil
}

// adopt takes over an answer that was gathered elsewhere.
func (w *Response) adopt(from *Response) {
	w.dropOwned()
	w.dropBody()
	from.head.Close = from.head.Close || w.head.Close
	w.head, w.body, w.offer = from.head, from.body, from.offer
}
