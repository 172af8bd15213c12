package http1

import (
	"runtime/debug"

	"github.com/eddynet/eddy/internal/workpool"
	"github.com/eddynet/eddy/loop"
)

// Pool is a bounded number of goroutines with a bounded queue, for handlers that block.
// Goroutines start on demand, and end when idle for some time. One Pool may serve several
// handlers and servers. Any goroutine. Its methods:
//
//	Go(job func()) bool // runs job; false if all goroutines are busy and the queue is full
//	Close()             // ends idle goroutines at once: call it after Engine.Run
type Pool = workpool.Pool

// NewPool returns a pool of at most workers goroutines and queue waiting jobs.
func NewPool(workers, queue int) *Pool { return workpool.New(workers, queue) }

// Blocking returns a Handler that runs h on a goroutine of the pool, where it may block.
// When all goroutines are busy and the queue is full, the client gets 503 with Retry-After.
// The response is sent when h returns. h must not call the methods of w that need the
// connection: Defer, Stream, Upgrade, Hijack, Finish, Loop. r is valid until h returns.
// r.Context is cancelled when the client has gone and after Options.HandlerTimeout.
func Blocking(h Handler, pool *Pool) Handler {
	return func(w *Response, r *Request) {
		d := w.Defer()
		job := &blockingJob{handler: h, deferred: d, request: *r}
		job.request.context = d.Context
		if pool.Go(job.run) {
			w.Loop().Yield()
			return
		}
		_ = d.Respond((*Response).Busy) // an error: the client has gone
	}
}

// blockingJob is one request on a goroutine of a pool.
type blockingJob struct {
	handler  Handler
	deferred *Deferred
	request  Request  // shares the bytes of the session's
	response Response // moved to the session's at the end
}

func (j *blockingJob) run() {
	j.response.begin()
	j.response.request = &j.request
	err := j.call()
	_ = j.deferred.Respond(func(w *Response) { // an error: the client has gone
		if err != nil {
			panic(err) // handled like a panic on the loop
		}
		w.moveFrom(&j.response)
	})
}

// call runs the handler and returns its panic, or nil.
func (j *blockingJob) call() (err *loop.PanicError) {
	defer func() {
		if v := recover(); v != nil {
			err = &loop.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	j.handler(&j.response, &j.request)
	return nil
}

// moveFrom replaces the response by another one.
func (w *Response) moveFrom(from *Response) {
	w.dropOwned()
	w.dropBody()
	from.head.Close = from.head.Close || w.head.Close
	w.head, w.body, w.upgradeOffered = from.head, from.body, from.upgradeOffered
}
