package nethttp

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/loop"
)

// netConn is the net.Conn of http.Server.ConnContext and ConnState: only its addresses and
// Close work, because the event loop reads and writes. Any goroutine.
type netConn struct {
	ref           loop.Ref
	local, remote net.Addr
	ctx           context.Context // parent of the contexts of its requests
}

var _ net.Conn = (*netConn)(nil)

var errNetConn = errors.New("nethttp: the event loop reads and writes this connection: use http.Hijacker")

func (c *netConn) Read([]byte) (int, error)         { return 0, errNetConn }
func (c *netConn) Write([]byte) (int, error)        { return 0, errNetConn }
func (c *netConn) SetDeadline(time.Time) error      { return errNetConn }
func (c *netConn) SetReadDeadline(time.Time) error  { return errNetConn }
func (c *netConn) SetWriteDeadline(time.Time) error { return errNetConn }
func (c *netConn) LocalAddr() net.Addr              { return c.local }
func (c *netConn) RemoteAddr() net.Addr             { return c.remote }

// Close ends the connection after its pending output.
func (c *netConn) Close() error {
	if err := c.ref.DoUnbounded(func(c *loop.Conn) { c.Close() }); err != nil {
		return net.ErrClosed
	}
	return nil
}

// netListener is the argument of http.Server.BaseContext. Only Addr works, because the engine
// accepts connections.
type netListener struct{ addr net.Addr }

func (l netListener) Accept() (net.Conn, error) { return nil, errNetConn }
func (l netListener) Close() error              { return errNetConn }
func (l netListener) Addr() net.Addr            { return l.addr }

// setHooks has the options call BaseContext, ConnContext and ConnState of the http.Server.
func (a *Adapter) setHooks(o *http1.Options) {
	s := a.server
	if s.BaseContext == nil && s.ConnContext == nil && s.ConnState == nil {
		return
	}
	o.OnOpen = a.opened
	if changed := s.ConnState; changed != nil {
		o.ConnState = func(value any, state http.ConnState) {
			if c, ok := value.(*netConn); ok { // else opened has panicked
				changed(c, state)
			}
		}
	}
}

func (a *Adapter) opened(conn *loop.Conn) any {
	s := a.server
	c := &netConn{ref: conn.Ref(), local: conn.LocalAddr(), remote: conn.RemoteAddr()}
	a.baseOnce.Do(func() {
		a.base = context.Background()
		if s.BaseContext != nil {
			a.base = s.BaseContext(netListener{c.local})
		}
	})
	if c.ctx = a.base; c.ctx == nil {
		panic("nethttp: BaseContext returned a nil context")
	}
	if s.ConnContext != nil {
		if c.ctx = s.ConnContext(c.ctx, c); c.ctx == nil {
			panic("nethttp: ConnContext returned a nil context")
		}
	}
	if s.ConnState != nil {
		s.ConnState(c, http.StateNew)
	}
	return c
}
