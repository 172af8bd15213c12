package loop

import "github.com/eddynet/eddy/internal/sockets"

// SetSettings replaces the limits and deadlines: call it in the Protocol with a changed copy of
// Settings, which must not change afterwards. Connections of a loop may share one.
func (c *Conn) SetSettings(s *Settings) {
	if s.WriteTimeout != c.settings.WriteTimeout && c.fd >= 0 {
		sockets.BoundUnacknowledged(int(c.fd), s.WriteTimeout)
	}
	c.settings = s
	if !c.is(ownDeadline) {
		c.deadlineAfter(s.IdleTimeout)
	}
}

// unopened handles a connection until its Protocol has returned.
type unopened struct{}

func (unopened) OnData(*Conn, []byte) int { return 0 }

func (unopened) OnEvent(*Conn, Event) bool { return false }

func (c *Conn) open(p Protocol) {
	defer c.recovered()
	c.flags &^= suppliesBuffer
	c.handler = unopened{}
	h := p(c)
	if h == nil {
		c.Abort(errNoHandler)
		return
	}
	if c.handler != (unopened{}) {
		return // p has called SetProtocol
	}
	c.handler = h
	if _, ok := h.(BufferSupplier); ok {
		c.flags |= suppliesBuffer
	}
}

// SetProtocol gives the connection to another protocol: p is called, and its Handler gets the
// unused input after the current callback, and all events. User data and settings are reset.
func (c *Conn) SetProtocol(p Protocol) {
	if c.state != open {
		return
	}
	c.userData = nil
	c.settings = &c.loop.settings
	c.flags = c.flags&^(readPaused|ownDeadline|fullDuplex) | handedOver
	if c.is(peerDone) {
		c.flags |= eofPending
	}
	c.deadlineAfter(c.settings.IdleTimeout)
	c.open(p)
	if c.loop.draining {
		c.shutdown()
	}
	c.Redeliver()
}

func (l *Loop) newConn(fd int, peer sockets.Addr) *Conn {
	return &Conn{loop: l, fd: int32(fd), peer: peer, settings: &l.settings, flags: unwatched | scheduled}
}

// open opens a connection that has its place in the limit, and reports whether it did: a loop that
// was forced to end does not. The poller learns of the connection when p has returned.
func (l *Loop) open(c *Conn, p Protocol, count *uint64) bool {
	if l.forced {
		c.closeTransport()
		l.limit.quotaOf(c).release()
		l.count.Dropped++
		return false
	}
	c.timer.Owner = c
	c.token = l.table.Add(c)
	l.conns++
	*count++
	c.deadlineAfter(c.settings.IdleTimeout)
	c.open(p)
	if l.draining {
		c.shutdown()
	}
	c.settle()
	l.returned(c)
	return true
}
