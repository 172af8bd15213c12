package eddy

import (
	"net"
	"time"
)

// Dial is Loop.Dial on one of the loops, in turn. To have both ends of a pair on one loop, which
// need no Ref, dial the second in a callback of the first: c.Loop().Dial. It returns
// ErrServerClosed, and does not call done, if the engine has ended. Any goroutine.
func (e *Engine) Dial(network, address string, p Protocol, timeout time.Duration, done func(c *Conn, err error)) error {
	l := e.nextLoop()
	return l.Post(func() { l.Dial(network, address, p, timeout, done) })
}

// Adopt is Loop.Adopt on one of the loops, in turn. done, if not nil, is called once, on that loop:
// after p, or with an error; but not after ErrServerClosed: the engine has ended. Any goroutine.
func (e *Engine) Adopt(conn net.Conn, p Protocol, done func(c *Conn, err error)) error {
	l := e.nextLoop()
	err := l.PostUnbounded(func() {
		c, err := l.Adopt(conn, p)
		switch {
		case done != nil:
			done(c, err)
		case err != nil:
			l.Logger().Warn("eddy: adopt a connection", "error", err)
		}
	})
	if err != nil && conn != nil {
		_ = conn.Close() // as if the loop had ended a little later
	}
	return err
}

func (e *Engine) nextLoop() *Loop { return e.loops[e.dials.Add(1)%uint64(len(e.loops))].Loop }
