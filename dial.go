package eddy

import (
	"net"
	"time"
)

// Dial connects to an address, over which p is spoken, on one of the loops, in
// turn. The network is tcp, tcp4, tcp6 or unix; the addresses of a name are tried as
// RFC 8305 says. done is called once, on that loop: after p, or with an error
// when no connection was made within timeout, or before the loop has ended. Both ends
// of a pair are on one loop, and need no Ref, if the second is dialled from a callback
// of the first: c.Loop().Dial. It returns ErrServerClosed, and does not call done, if
// the engine has ended. Any goroutine.
func (e *Engine) Dial(network, address string, p Protocol, timeout time.Duration, done func(c *Conn, err error)) error {
	l := e.nextLoop()
	return l.Post(func() { l.Dial(network, address, p, timeout, done) })
}

// Adopt gives an existing connection to one of the loops, in turn; p is spoken over it
// from now on. It must be a *net.TCPConn or *net.UnixConn, of which no read or
// write is in progress; for a descriptor, see net.FileConn. conn is closed, whatever
// happens: the loop has its socket. done, which may be nil, is called once, on that loop:
// after p, or with an error. Adopt returns ErrServerClosed, and does not call done,
// if the engine has ended. Any goroutine.
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
