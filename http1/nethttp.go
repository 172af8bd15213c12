package http1

import (
	"context"
	"math"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/eddynet/eddy/httpparse"
	"github.com/eddynet/eddy/loop"
)

// handlersMost is how many requests an adapter without a pool of its own has in work
// at once, each on a goroutine.
const handlersMost = 20000

// NetHTTP serves a net/http handler, mux or framework, unchanged: NetHTTPServer with
// nothing set but the handler. Without one, it serves http.DefaultServeMux.
func NetHTTP(h http.Handler, o Options) (*Server, error) {
	return NetHTTPServer(&http.Server{Handler: h}, o)
}

// Adapter has a net/http handler answer some of a server's requests: call its OnHead
// in Options.OnHead for those. One Adapter may serve several servers.
type Adapter struct {
	server  *http.Server // settings, and what http.ServerContextKey leads to
	handler http.Handler
	answers sync.Pool // of *Response: those that handlers gather
	pool    *Pool
	ownPool bool

	baseOnce sync.Once
	base     context.Context // of http.Server.BaseContext

	mu    sync.Mutex
	loops int // guarded by mu: that serve the adapter and have not ended
}

// NewAdapter returns an adapter for h, which runs on goroutines of the pool. If it is
// nil, the adapter has one of 20,000 goroutines, which end with the engine. A request
// for which there is none is answered with 503 and Retry-After.
func NewAdapter(h http.Handler, pool *Pool) *Adapter {
	return newAdapter(&http.Server{Handler: h}, pool)
}

func newAdapter(s *http.Server, pool *Pool) *Adapter {
	a := &Adapter{server: s, handler: s.Handler, pool: pool, ownPool: pool == nil}
	if a.ownPool {
		a.pool = NewPool(handlersMost, 0)
	}
	if a.handler == nil {
		a.handler = http.DefaultServeMux
	}
	a.answers.New = func() any { return new(Response) }
	return a
}

// join counts a loop that serves the adapter. With the last one, the pool ends. Loop only.
func (a *Adapter) join(l *loop.Loop) {
	if !a.ownPool {
		return
	}
	a.mu.Lock()
	a.loops++
	a.mu.Unlock()
	l.OnEnd(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.loops--; a.loops == 0 {
			a.pool.Close()
		}
	})
}

// OnHead takes the exchange over. The body has no limit but the one that
// r.SetMaxBody sets after the call: http.MaxBytesHandler is net/http's way. Loop only.
func (a *Adapter) OnHead(w *Response, r *Request) {
	x := w.session
	if !slices.Contains(x.server.adapters, a) {
		x.server.adapters = append(x.server.adapters, a)
		a.join(x.conn.Loop())
	}
	if r.head.Form == httpparse.AsteriskForm && !a.server.DisableGeneralOptionsHandler {
		w.Finish() // as net/http does: OPTIONS * asks the server, not a resource
		return
	}
	e := &exchange{adapter: a, conn: x.conn, loop: x.conn.Loop()}
	e.context.exchange = e
	var err error
	if e.request, err = newRequest(r, &e.context); err != nil {
		x.refuse(err)
		return
	}
	e.deferred = w.Defer()
	e.deferred.working = true
	e.deferred.lifetime.parent = a.contextOf(r)
	e.begin(r)
	if !a.pool.Go(e.run) {
		_ = e.deferred.Respond(tooBusy) // an error says that the client is gone
		return
	}
	if e.body != nil {
		r.OnBody(e.body.deliver)
		x.body.landing = e.body
		r.SetMaxBody(math.MaxInt64)
		if r.head.ExpectContinue {
			x.body.onDemand = true
			r.PauseBody()
		}
	}
	e.loop.Yield()
}

// exchange is one request in the hands of a net/http handler. Unless a comment says
// otherwise, it belongs to the handler's goroutine, and nothing of it refers to the
// session, which may go before the handler returns.
type exchange struct {
	adapter  *Adapter
	conn     *loop.Conn // loop only
	loop     *loop.Loop
	deferred *Deferred
	request  *http.Request
	context  requestContext
	body     *requestBody // nil without one
	writer   responseWriter
}

// begin makes everything ready for run. Loop only.
func (e *exchange) begin(r *Request) {
	e.request.Body = http.NoBody
	if r.head.Framing == httpparse.ChunkedBody || r.head.Length > 0 {
		e.body = newRequestBody(e, r)
		e.deferred.broken = e.body.breakOff
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
	var report *loop.PanicError
	if v != nil && v != http.ErrAbortHandler {
		report = &loop.PanicError{Value: v, Stack: debug.Stack()}
		if log := e.adapter.server.ErrorLog; log != nil {
			log.Printf("http1: panic serving %s: %v\n%s", e.request.RemoteAddr, v, report.Stack)
		}
	}
	e.deferred.claim() // what was claimed before is a stream, or on its way
	hijacked := e.writer.hijacked
	_ = e.loop.PostAnyway(func() { // the end of the loop is that of the connection
		if report != nil {
			_ = e.loop.Panicked(report) // what to do about it follows
		}
		if x := e.session(); x != nil && !hijacked {
			x.drop()
		}
	})
}

// drop ends the connection in place of the answer, or of the rest of it, as net/http
// does. What was sent before is lost only where the client might take it for the whole.
func (x *session) drop() {
	if x.out == streaming && x.stream.framing == httpparse.UntilClose {
		x.conn.Abort(http.ErrAbortHandler)
		return
	}
	x.conn.Close()
}

// end follows the handler's return.
func (e *exchange) end() {
	e.writer.deadline.stop()
	if e.body != nil {
		_ = e.body.Close() // never fails
	}
	e.deferred.lifetime.end(context.Canceled)
	if form := e.request.MultipartForm; form != nil {
		_ = form.RemoveAll() // files that are gone already, or left in the temporary folder
	}
}

// session is that of the exchange, nil if it is over. Loop only.
func (e *exchange) session() *session {
	x, ok := e.conn.State().(*session)
	if !ok || x.deferred != e.deferred || !e.conn.Open() {
		return nil
	}
	return x
}

// do has the loop call fn, unless the exchange is over by then.
func (e *exchange) do(fn func(x *session)) {
	_ = e.loop.PostAnyway(func() { // the end of the loop is that of the exchange
		if x := e.session(); x != nil {
			fn(x)
		}
	})
}

// wait is do, but returns when fn has, and says whether it was called.
func (e *exchange) wait(fn func(x *session)) (called bool) {
	done := make(chan struct{})
	err := e.loop.PostAnyway(func() {
		defer close(done)
		if x := e.session(); x != nil {
			fn(x)
			called = true
		}
		e.loop.Yield()
	})
	if err != nil {
		return false
	}
	<-done
	return called
}
