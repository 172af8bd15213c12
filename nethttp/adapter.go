package nethttp

import (
	"context"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/httpparse"
	"github.com/eddynet/eddy/loop"
)

// maxHandlers is how many requests an adapter without a pool of its own has in work
// at once, each on a goroutine.
const maxHandlers = 20000

// Adapter has a net/http handler answer some of a server's requests: call its OnHead
// in http1.Options.OnHead for those. One Adapter may serve several servers.
type Adapter struct {
	server  *http.Server // settings, and what http.ServerContextKey leads to
	handler http.Handler
	pool    *http1.Pool
	ownPool bool

	mu    sync.Mutex                   // for changes of loops
	loops atomic.Pointer[[]*loop.Loop] // that have served a request and have not ended

	baseOnce sync.Once
	base     context.Context // of http.Server.BaseContext
}

// NewAdapter returns an adapter for h, which runs on goroutines of the pool. If it is
// nil, the adapter has one of 20,000 goroutines, which end with the engine. A request
// for which there is none is answered with 503 and Retry-After.
func NewAdapter(h http.Handler, pool *http1.Pool) *Adapter {
	return newAdapter(&http.Server{Handler: h}, pool)
}

func newAdapter(s *http.Server, pool *http1.Pool) *Adapter {
	a := &Adapter{server: s, handler: s.Handler, pool: pool, ownPool: pool == nil}
	a.loops.Store(new([]*loop.Loop))
	if a.ownPool {
		a.pool = http1.NewPool(maxHandlers, 0)
	}
	if a.handler == nil {
		a.handler = http.DefaultServeMux
	}
	return a
}

// join notes a loop that serves the adapter. With the last one, the pool ends. Loop only.
func (a *Adapter) join(l *loop.Loop) {
	if !a.ownPool || slices.Contains(*a.loops.Load(), l) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	joined := append(slices.Clone(*a.loops.Load()), l)
	a.loops.Store(&joined)
	l.OnEnd(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		left := slices.DeleteFunc(slices.Clone(*a.loops.Load()), func(o *loop.Loop) bool { return o == l })
		a.loops.Store(&left)
		if len(left) == 0 {
			a.pool.Close()
		}
	})
}

// OnHead takes the exchange over. The body has no limit but the one that
// r.SetMaxBody sets after the call: http.MaxBytesHandler is net/http's way. Loop only.
func (a *Adapter) OnHead(w *http1.Response, r *http1.Request) {
	a.join(w.Loop())
	h, _ := r.Head()
	if h.Form == httpparse.AsteriskForm && !a.server.DisableGeneralOptionsHandler {
		w.Finish() // as net/http does: OPTIONS * asks the server, not a resource
		return
	}
	e := &exchange{adapter: a, loop: w.Loop()}
	e.context.exchange = e
	e.context.Parent = a.contextOf(r)
	var err error
	if e.request, err = newRequest(r, &e.context); err != nil {
		w.Refuse(http.StatusBadRequest)
		return
	}
	e.begin(w, r)
	if !a.pool.Go(e.run) {
		_ = e.deferred.Respond((*http1.Response).Busy) // an error says that the client is gone
		return
	}
	e.loop.Yield()
}

// exchange is one request in the hands of a net/http handler. Unless a comment says
// otherwise, it belongs to the handler's goroutine.
type exchange struct {
	adapter  *Adapter
	loop     *loop.Loop
	deferred *http1.Deferred
	request  *http.Request
	context  requestContext
	gone     func(error)  // ends the context
	body     *requestBody // nil without one
	writer   responseWriter
}

// begin makes everything ready for run. Loop only.
func (e *exchange) begin(w *http1.Response, r *http1.Request) {
	e.deferred = w.Defer()
	e.gone = e.context.End
	e.deferred.OnGone(e.gone)
	e.request.Body = http.NoBody
	if h, _ := r.Head(); h.Framing == httpparse.ChunkedBody || h.Length > 0 {
		e.body = newRequestBody(e, r)
		e.request.Body = e.body
	}
	e.writer.begin(e)
	if t := e.adapter.server.WriteTimeout; t > 0 {
		_ = e.writer.SetWriteDeadline(time.Now().Add(t))
	}
	if t := e.adapter.server.ReadTimeout; t > 0 && e.body != nil {
		e.body.setDeadline(time.Now().Add(t))
	}
}

// run is the job of the handler's goroutine.
func (e *exchange) run() {
	returned := false
	defer func() {
		if !returned {
			e.failed(recover()) // nil after runtime.Goexit
		}
		e.end()
	}()
	e.adapter.handler.ServeHTTP(&e.writer, e.request)
	e.writer.finish()
	returned = true
}

// failed ends an exchange whose handler has panicked.
func (e *exchange) failed(v any) {
	if v != nil && v != http.ErrAbortHandler {
		report := &loop.PanicError{Value: v, Stack: debug.Stack()}
		if log := e.adapter.server.ErrorLog; log != nil {
			log.Printf("nethttp: panic serving %s: %v\n%s", e.request.RemoteAddr, v, report.Stack)
		}
		_ = e.loop.PostUnbounded(func() { _ = e.loop.Panicked(report) }) // what to do about it follows
	}
	if !e.writer.hijacked {
		_ = e.deferred.Do(drop) // the end of the loop is that of the connection
	}
}

// drop ends the connection in place of the answer, or of the rest of it, as net/http
// does. Loop only.
func drop(w *http1.Response) {
	if w != nil {
		w.Drop()
	}
}

// end follows the handler's return.
func (e *exchange) end() {
	e.writer.deadline.stop()
	if e.body != nil {
		_ = e.body.Close() // never fails
	}
	e.context.End(context.Canceled)
	if form := e.request.MultipartForm; form != nil {
		_ = form.RemoveAll() // files that are gone already, or left in the temporary folder
	}
}
