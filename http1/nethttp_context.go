package http1

import (
	"context"
	"net"
	"net/http"
	"time"
)

// requestContext is the context of a request: it ends when the client goes, when a write
// fails, when the time for the answer is up, when the parent ends, and when the handler
// returns; context.Cause tells which. Only handlers that use it pay for it. Any
// goroutine.
type requestContext struct{ exchange *exchange }

var _ context.Context = (*requestContext)(nil)

func (c *requestContext) lifetime() *lifetime { return &c.exchange.deferred.lifetime }

// Deadline is that of the parent. Options.HandlerTimeout is none: it starts again with
// every piece of a stream.
func (c *requestContext) Deadline() (t time.Time, ok bool) {
	if parent := c.lifetime().parent; parent != nil {
		return parent.Deadline()
	}
	return time.Time{}, false
}

func (c *requestContext) Done() <-chan struct{} { return c.lifetime().context().Done() }

func (c *requestContext) Err() error {
	if l := c.lifetime(); l.parent != nil || l.ended() != nil {
		return l.context().Err()
	}
	return nil
}

// Value leads to the server and to the local address, as net/http's does. The server
// does not run: its settings count.
func (c *requestContext) Value(key any) any {
	switch key {
	case http.ServerContextKey:
		return c.exchange.adapter.server
	case http.LocalAddrContextKey:
		return c.exchange.localAddr()
	}
	return c.lifetime().context().Value(key)
}

// localAddr asks the loop, which knows whether the connection is still there.
func (e *exchange) localAddr() any {
	var addr net.Addr
	e.wait(func(x *session) { addr = x.conn.LocalAddr() })
	if addr == nil {
		return nil
	}
	return addr
}
