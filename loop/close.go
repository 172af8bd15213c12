package loop

import (
	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
)

// Close ends the connection once the kernel has all that was written, and lets the peer read it: it
// sends FIN, then reads and discards input, within bounds. It ends writes and OnData.
func (c *Conn) Close() { c.finish(nil) }

// CloseWith is Close with a cause, which Err returns: for input that was invalid, or cut
// off, while the peer may still read output, such as a layer's report of the error.
func (c *Conn) CloseWith(cause error) { c.finish(cause) }

// CloseIdle is Close for a connection between two messages, whose peer has nothing left to read: it
// does not wait for the peer. While input or output is pending, or if a layer cannot send its end
// at once, it is Close. Input that comes until the end of the cycle is answered with a reset.
func (c *Conn) CloseIdle() {
	if c.state != open || c.out != nil || c.in != nil ||
		c.fd >= 0 && (sockets.Unread(int(c.fd)) || sockets.Unacknowledged(int(c.fd))) {
		c.Close()
		return
	}
	if c.layered() {
		// The end of the layers' output leaves first.
		if input, output := c.askLayers(c.extra.top); input || output > 0 || c.closeWrite() != nil {
			c.Close()
			return
		}
	}
	c.closeNow(nil)
}

func (c *Conn) finish(cause error) {
	if c.state != open {
		return
	}
	c.enter(closing)
	c.cause = cause
	c.deadline = 0
	c.schedule()
}

// CloseWrite sends FIN once the kernel has all that was written, and goes on reading. It ends
// writes. The connection is closed when the peer has stopped sending too.
func (c *Conn) CloseWrite() {
	if c.state == open {
		c.shared.Or(mute)
		c.schedule()
	}
}

// shut follows CloseWrite and Close when all is flushed, and every event after it.
func (c *Conn) shut() {
	if !c.is(writeShut) && (c.layered() || !c.is(peerDone)) {
		switch err := c.closeWrite(); {
		case err == unix.EAGAIN:
			c.watchProgress(0) // a layer has to send the end of its output
			return
		case err != nil && c.state == closing: // ENOTCONN: the peer has disconnected
			c.closeNow(c.cause)
		case err != nil:
			c.closeNow(err)
		}
		c.flags |= writeShut
	}
	switch {
	case c.state == closed: // by the error, or a panic of a layer
	case c.is(peerDone) && (c.state == open || !c.layered() || c.fd < 0 || c.extra.socket.eof):
		c.closeNow(c.cause)
	case c.state == closing:
		c.enter(lingering)
		c.dropInput()
		c.progress = 0
		c.writeBy = 0
		c.deadlineAfter(c.settings.LingerTimeout)
	}
}

// end resets the connection, unless it lingers: its handler may not have completed the response.
func (c *Conn) end(cause error) {
	if c.state == lingering {
		c.closeNow(cause)
		return
	}
	c.Abort(cause)
}

// discard reads once, below all layers, and discards the input.
func (c *Conn) discard() {
	var n int
	var err error
	if c.layered() {
		n, err = c.extra.bottom.Read(c.loop.input)
	} else {
		n, err = readSocket(int(c.fd), c.loop.input)
	}
	switch {
	case n > 0:
		c.loop.count.BytesRead += uint64(n)
		c.progress += int64(n)
		if c.progress > c.settings.LingerBytes {
			c.closeNow(c.cause)
		}
	case notNow(err):
	case shortOfMemory(err):
		c.retryLater(readBackoff)
	default:
		c.closeNow(c.cause) // FIN, or a reset by a peer that has read enough
	}
}

// free is the one place where a connection ends.
func (c *Conn) free() {
	l := c.loop
	c.event(EventClosed)
	c.dropInput()
	c.noteBacklog(0)
	for c.out != nil {
		// It calls release functions. If one panics, the next call goes on after it.
		l.call(func() {
			l.outputs.PutQueue(c.out)
			c.out = nil
		})
	}
	l.table.Remove(c.token)
	l.call(c.closeTransport)
	l.conns--
	l.count.ended(c.cause)
	l.limit.quotaOf(c).release()
}

// shutdown tells of a drain, also a connection that opens, or changes its protocol, during it.
func (c *Conn) shutdown() {
	switch {
	case c.state != open:
	case c.event(EventShutdown):
		c.schedule()
	default:
		before := c.deadline
		c.After(c.loop.grace, func(c *Conn) {
			if c.deadline != before { // input has postponed it: more may be on its way
				c.Close()
			} else {
				c.CloseIdle()
			}
		})
	}
}
