package nethttp

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/internal/lifetime"
)

// requestContext is the context of a request. It ends when the client goes, a write fails,
// the response times out, the parent ends, or the handler returns; context.Cause says which.
// It costs nothing until a handler uses it. Any goroutine.
type requestContext struct {
	lifetime.Lifetime
	exchange *exchange
}

var _ context.Context = (*requestContext)(nil)

// Deadline is that of the parent. Options.HandlerTimeout is not a deadline: it starts again
// with every piece of a stream.
func (c *requestContext) Deadline() (t time.Time, ok bool) {
	if c.Parent != nil {
		return c.Parent.Deadline()
	}
	return time.Time{}, false
}

func (c *requestContext) Done() <-chan struct{} { return c.Context().Done() }

func (c *requestContext) Err() error {
	if c.Parent != nil || c.Cause() != nil {
		return c.Context().Err()
	}
	return nil
}

// Value has the server and the local address, as in net/http. The server does not run: it has
// only the settings.
func (c *requestContext) Value(key any) any {
	switch key {
	case http.ServerContextKey:
		return c.exchange.adapter.server
	case http.LocalAddrContextKey:
		return c.exchange.localAddr()
	}
	return c.Context().Value(key)
}

// localAddr asks the loop, which knows whether the connection is open.
func (e *exchange) localAddr() net.Addr {
	result := make(chan net.Addr, 1)
	err := e.deferred.Do(func(w *http1.Response) {
		var addr net.Addr
		if w != nil {
			addr = w.Request().LocalAddr()
		}
		result <- addr
		e.loop.Yield()
	})
	if err != nil {
		return nil
	}
	return <-result
}
