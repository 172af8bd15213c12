package http1

import (
	"runtime/debug"
	"sync"

	"github.com/eddynet/eddy/internal/workpool"
	"github.com/eddynet/eddy/loop"
)

// Pool has a bounded number of goroutines and a bounded queue, for handlers that block. Goroutines
// start on demand, and end when idle. It may serve several handlers. Any goroutine. Its methods:
//
//	Go(job func()) bool // runs job; false if all goroutines are busy and the queue is full
//	Close()             // ends idle goroutines at once: call it after Engine.Run
type Pool = workpool.Pool

// NewPool returns a pool of at most workers goroutines and queue waiting jobs.
func NewPool(workers, queue int) *Pool { return workpool.New(workers, queue) }

// Blocking returns a Handler that runs h on a goroutine of the pool, where it may block. When the
// pool is full, the client gets 503 with Retry-After. The response is sent, and r ends, when h
// returns. h must not call Defer, Stream, Upgrade, Hijack, Finish and Loop of w. r.Context is
// cancelled when the client has gone and after Options.HandlerTimeout.
func Blocking(h Handler, pool *Pool) Handler {
	jobs := &sync.Pool{}
	jobs.New = func() any {
		j := &blockingJob{handler: h, jobs: jobs}
		j.start, j.finish = j.run, j.respond
		j.response.request = &j.request
		j.response.Reset()
		return j
	}
	return func(w *Response, r *Request) {
		j := jobs.Get().(*blockingJob)
		j.request = *r
		j.request.deferred = w.Defer()
		if pool.Go(j.start) {
			w.Loop().Yield()
			return
		}
		_ = j.request.deferred.Respond((*Response).Busy) // an error: the client has gone
		j.free()
	}
}

// blockingJob is one request on a goroutine of a pool. It is used again, with its functions bound.
type blockingJob struct {
	handler  Handler
	request  Request  // shares the bytes of the session's
	response Response // exchanged with the session's at the end
	panicked *loop.PanicError
	jobs     *sync.Pool

	start  func()          // run
	finish func(*Response) // respond
}

func (j *blockingJob) run() {
	j.call()
	if j.request.deferred.Respond(j.finish) != nil { // the client has gone
		j.free()
	}
}

func (j *blockingJob) call() {
	defer func() {
		if v := recover(); v != nil {
			j.panicked = &loop.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	j.handler(&j.response, &j.request)
}

// Loop only.
func (j *blockingJob) respond(w *Response) {
	defer j.free()
	if j.panicked != nil {
		panic(j.panicked) // handled like a panic on the loop
	}
	from := &j.response
	w.takeOwned().free()
	from.head.Close = from.head.Close || w.head.Close
	w.head, from.head = from.head, w.head
	w.body, from.body = from.body, w.body
	w.upgradeOffered = from.upgradeOffered
}

func (j *blockingJob) free() {
	j.response.Reset()
	j.request, j.panicked = Request{}, nil
	j.jobs.Put(j)
}
