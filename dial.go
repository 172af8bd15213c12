package eddy

import "time"

// Dial connects to an address, over which p is spoken, on one of the loops, in
// turn. The network is tcp, tcp4, tcp6 or unix; the addresses of a name are tried as
// RFC 8305 says. done is called once, on that loop: after p.OnOpen, or with an error
// when no connection was made within timeout, or before the loop has ended. Both ends
// of a pair are on one loop, and need no Ref, if the second is dialled from a callback
// of the first: c.Loop().Dial. It returns ErrServerClosed, and does not call done, if
// the engine has ended. Any goroutine.
func (e *Engine) Dial(network, address string, p Protocol, timeout time.Duration, done func(c *Conn, err error)) error {
	l := e.loops[e.dials.Add(1)%uint64(len(e.loops))]
	return l.Post(func() { l.Dial(network, address, p, timeout, done) })
}
