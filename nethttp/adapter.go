package nethttp

import (
	"context"
	"net/http"
	"net/url"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/httpparse"
	"github.com/eddynet/eddy/loop"
)

// maxHandlers is the number of goroutines of an adapter without a pool of its own.
const maxHandlers = 20000

// Adapter has a net/http handler respond to some of a server's requests: call its OnHead in
// http1.Options.OnHead for those. One Adapter may serve several servers.
type Adapter struct {
	server  *http.Server // settings, and the value of http.ServerContextKey
	handler http.Handler
	pool    *http1.Pool
	ownPool bool
	loops   sync.Map     // *loop.Loop: that have served a request and have not ended
	serving atomic.Int32 // number of loops

	baseOnce sync.Once
	base     context.Context // of http.Server.BaseContext
}

// NewAdapter returns an adapter for h, which runs on goroutines of the pool. Without a pool,
// the adapter has one of 20,000 goroutines, which end with the engine. When all are busy,
// the response is 503 with Retry-After.
func NewAdapter(h http.Handler, pool *http1.Pool) *Adapter {
	return newAdapter(&http.Server{Handler: h}, pool)
}

func newAdapter(s *http.Server, pool *http1.Pool) *Adapter {
	a := &Adapter{server: s, handler: s.Handler, pool: pool, ownPool: pool == nil}
	if a.ownPool {
		a.pool = http1.NewPool(maxHandlers, 0)
	}
	if a.handler == nil {
		a.handler = http.DefaultServeMux
	}
	return a
}

// join registers a loop. The end of the last loop closes the pool. Loop only.
func (a *Adapter) join(l *loop.Loop) {
	if _, joined := a.loops.Load(l); joined {
		return
	}
	a.loops.Store(l, nil)
	a.serving.Add(1)
	l.OnEnd(func() {
		a.loops.Delete(l)
		if a.serving.Add(-1) == 0 {
			a.pool.Close()
		}
	})
}

// OnHead has the net/http handler respond. The body has no limit, unless r.SetMaxBody sets
// one after the call; net/http has http.MaxBytesHandler for this. Loop only.
func (a *Adapter) OnHead(w *http1.Response, r *http1.Request) {
	if a.ownPool {
		a.join(w.Loop())
	}
	h, _ := r.Head()
	if h.Form == httpparse.AsteriskForm && !a.server.DisableGeneralOptionsHandler {
		w.Finish() // as in net/http: OPTIONS * is a request to the server, not to a resource
		return
	}
	e := &exchange{adapter: a, loop: w.Loop()}
	e.context.exchange, e.writer.exchange = e, e
	if c, ok := r.ConnValue().(*netConn); ok {
		e.context.Parent = c.ctx
	}
	if !e.readRequest(r) {
		w.Refuse(http.StatusBadRequest)
		return
	}
	e.begin(w, r)
	if !a.pool.Go(e.run) {
		_ = e.deferred.Respond((*http1.Response).Busy) // an error: the client has gone
		return
	}
	e.loop.Yield()
}

// exchange is one request and its response. Unless a comment says otherwise, it belongs to
// the handler's goroutine.
type exchange struct {
	adapter  *Adapter
	loop     *loop.Loop
	deferred *http1.Deferred
	request  http.Request
	url      url.URL // of request
	context  requestContext
	body     *requestBody // nil without one
	writer   responseWriter
}

// begin prepares run. Loop only.
func (e *exchange) begin(w *http1.Response, r *http1.Request) {
	e.deferred = w.Defer()
	e.deferred.OnGone(e.context.End)
	if h, _ := r.Head(); h.Framing == httpparse.ChunkedBody || h.Length > 0 {
		e.body = newRequestBody(e, r)
		e.request.Body = e.body
	}
	e.writer.header = http.Header{}
	e.writer.head = heads.Get().(*http1.Head)
	if t := e.adapter.server.WriteTimeout; t > 0 {
		_ = e.writer.SetWriteDeadline(time.Now().Add(t))
	}
	if t := e.adapter.server.ReadTimeout; t > 0 && e.body != nil {
		e.body.setDeadline(time.Now().Add(t))
	}
}

func (e *exchange) run() {
	returned := false
	defer func() {
		if !returned {
			e.panicked(recover()) // nil after runtime.Goexit
		}
		e.end()
	}()
	e.adapter.handler.ServeHTTP(&e.writer, &e.request)
	e.writer.finish()
	returned = true
}

func (e *exchange) panicked(v any) {
	if v != nil && v != http.ErrAbortHandler {
		report := &loop.PanicError{Value: v, Stack: debug.Stack()}
		if log := e.adapter.server.ErrorLog; log != nil {
			log.Printf("nethttp: panic serving %s: %v\n%s", e.request.RemoteAddr, v, report.Stack)
		}
		_ = e.loop.PostUnbounded(func() { _ = e.loop.Panicked(report) }) // the connection is ended below
	}
	if !e.writer.hijacked {
		e.do((*http1.Response).Drop)
	}
}

// do calls fn on the loop, unless the response is complete or the connection has ended.
func (e *exchange) do(fn func(w *http1.Response)) {
	_ = e.deferred.Do(func(w *http1.Response) { // an error: the loop has ended, too
		if w != nil {
			fn(w)
		}
	})
}

func (e *exchange) end() {
	e.writer.deadline.stop(e.loop)
	if e.body != nil {
		_ = e.body.Close() // never fails
	}
	e.context.End(context.Canceled)
	if form := e.request.MultipartForm; form != nil {
		_ = form.RemoveAll() // an error leaves temporary files
	}
}
