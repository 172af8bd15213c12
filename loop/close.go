package loop

import (
	"golang.org/x/sys/unix"
)

// Close ends the connection once everything that was written has reached the
// kernel, and lets the peer read it: it sends FIN, then reads away what still
// comes, within bounds. Nothing more can be written, and OnData is not called any
// more.
func (c *Conn) Close() { c.finish(nil) }

// CloseIdle is Close for a connection between two messages, whose peer has nothing left
// to read: it does not wait for the peer to close too. If input or output is still under
// way after all, it is Close. Input that arrives later, until the descriptor is closed at
// the end of the cycle, is answered with a reset by the kernel.
func (c *Conn) CloseIdle() {
	if c.state == Open && c.out == nil && c.in == nil && !unread(int(c.fd)) && !unacknowledged(int(c.fd)) {
		c.closeNow(nil)
		return
	}
	c.Close()
}

func (c *Conn) finish(cause error) {
	if c.state != Open {
		return
	}
	c.enter(Closing)
	c.cause = cause
	c.deadline = 0
	c.attend()
}

// CloseWrite sends FIN once everything that was written has reached the kernel, and
// goes on reading. Nothing more can be written. The connection is closed when the
// peer has stopped sending too.
func (c *Conn) CloseWrite() {
	if c.state == Open {
		c.flags |= writeDone
		c.shared.Or(refMute)
		c.attend()
	}
}

// shutWrite follows CloseWrite when everything is flushed, and every event after it.
func (c *Conn) shutWrite() {
	if c.is(peerDone) {
		c.closeNow(nil)
		return
	}
	if c.is(writeShut) {
		return
	}
	c.flags |= writeShut
	if err := c.loop.calls.shutdown(int(c.fd), unix.SHUT_WR); err != nil {
		c.closeNow(err)
	}
}

// Abort ends the connection now, with a reset: pending output is dropped, and the
// peer cannot take what it got for complete. OnClose is called with err at the end
// of the cycle, not inside the call.
func (c *Conn) Abort(err error) {
	if c.state != Closed {
		c.flags |= resetOnClose
		c.closeNow(err)
	}
}

// closeNow ends a connection in any state.
func (c *Conn) closeNow(cause error) {
	if c.state == Closed {
		return
	}
	c.enter(Closed)
	c.cause = cause
	c.shared.Or(refGone)
	c.loop.wheel.cancel(&c.timer)
	for c.timers != nil {
		c.timers.Stop()
	}
	c.loop.closed = append(c.loop.closed, c)
}

// end cuts the connection off: with a reset, because only its protocol knows whether
// everything was said. While lingering, it was.
func (c *Conn) end(cause error) {
	if c.state == Lingering {
		c.closeNow(cause)
		return
	}
	c.Abort(cause)
}

// linger follows when everything is flushed.
func (c *Conn) linger() {
	if c.is(peerDone) {
		c.closeNow(c.cause)
		return
	}
	if err := c.loop.calls.shutdown(int(c.fd), unix.SHUT_WR); err != nil {
		c.closeNow(c.cause) // ENOTCONN: the peer has gone already
		return
	}
	c.enter(Lingering)
	c.dropInput()
	c.progress = 0
	c.writeBy = 0
	c.deadline = later(c.loop.now, c.settings.LingerTimeout)
	c.armTimer()
}

// discard reads once and throws the input away.
func (c *Conn) discard() {
	n, errno := c.loop.calls.read(int(c.fd), c.loop.input)
	switch {
	case n > 0:
		c.loop.count.BytesRead += uint64(n)
		c.progress += int64(n)
		if c.progress > c.settings.LingerBytes {
			c.closeNow(c.cause)
		}
	case errno == unix.EAGAIN, errno == unix.EINTR:
		// Nothing there yet: wait on.
	case errno == unix.ENOBUFS, errno == unix.ENOMEM:
		c.retryLater(readBackoff)
	default:
		c.closeNow(c.cause) // FIN, or a reset by a peer that has read enough
	}
}

// free is the one place where a connection ends.
func (c *Conn) free() {
	l := c.loop
	c.onClose()
	c.dropInput()
	c.noteBacklog(0)
	for c.out != nil {
		// It calls release functions. One that panics has had its turn: what comes
		// behind it is next.
		l.call(func() {
			l.outputs.PutQueue(c.out)
			c.out = nil
		})
	}
	l.table.remove(c.token)
	if !c.is(detached) {
		c.closeSocket()
	}
	l.conns--
	l.count.ended(c.cause)
	l.limit.of(c.settings).release()
}

func (c *Conn) closeSocket() {
	if c.is(resetOnClose) {
		// A failure leaves the default, an ordinary close.
		_ = c.loop.calls.resetAtEnd(int(c.fd))
	}
	closeFD(int(c.fd))
}

func (c *Conn) onClose() {
	defer c.recovered()
	c.protocol.OnClose(c, c.cause)
}

// open gives an accepted or dialled descriptor, non-blocking, to the loop. It returns
// nil when the loop was forced to end. The poller learns of the connection when
// OnOpen has returned; while it is short of watches, the connection waits.
func (l *Loop) open(fd int, peer endpoint, s *Service) *Conn {
	if l.forced {
		closeFD(fd)
		l.limit.of(s.settings).release()
		l.count.Dropped++
		return nil
	}
	c := &Conn{
		loop:     l,
		protocol: s.protocol,
		settings: s.settings,
		fd:       int32(fd),
		flags:    unwatched,
		peer:     peer,
	}
	c.timer.owner = c
	c.token = l.table.add(c)
	l.conns++
	if s.dialled {
		l.count.Dialled++
	} else {
		l.count.Accepted++
	}
	c.deadline = later(l.now, c.settings.IdleTimeout)
	c.armTimer()
	l.current = c
	c.call(c.protocol.OnOpen)
	l.current = nil
	if l.draining {
		c.tellDrain()
	}
	c.settle()
	l.returned(c)
	return c
}
