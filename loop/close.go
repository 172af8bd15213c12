package loop

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
)

// state is where a connection stands in its life.
type state uint8

const (
	// open: reads and writes. Close leads to closing; Abort, a failure and a deadline to
	// closed.
	open state = iota
	// closing: pending output is flushed, nothing is read or accepted for writing. It
	// leads to lingering when all is flushed, or to closed if the peer's FIN was read
	// before, on a failure or when the peer takes nothing.
	closing
	// lingering: our FIN is sent, and input is read and discarded, because closing a
	// socket with unread input would destroy output on its way. It leads to closed, at
	// the peer's FIN, the time limit or the byte limit.
	lingering
	// closed: nothing happens any more. EventClosed comes at the end of the cycle.
	closed
)

var stateNames = [...]string{"open", "closing", "lingering", "closed"}

func (s state) String() string { return stateNames[s] }

// exits lists the states that each state may lead to, as a set of bits.
var exits = [...]uint8{
	open:      1<<closing | 1<<closed,
	closing:   1<<lingering | 1<<closed,
	lingering: 1 << closed,
	closed:    0,
}

// enter is the one place where the state changes.
func (c *Conn) enter(next state) {
	if exits[c.state]&(1<<next) == 0 {
		panic(fmt.Sprintf("eddy: connection cannot go from %v to %v", c.state, next))
	}
	c.state = next
	c.shared.Or(refMute) // only an open connection takes output, and no state leads back
}

// Close ends the connection once everything that was written has reached the kernel, and
// lets the peer read it: it sends FIN, then reads and discards input, within bounds.
// Nothing more can be written, and OnData is not called any more.
func (c *Conn) Close() { c.finish(nil) }

// CloseIdle is Close for a connection between two messages, whose peer has nothing left
// to read: it does not wait for the peer to close too. If input or output is still under
// way after all, it is Close. Input that arrives later, until the descriptor is closed at
// the end of the cycle, is answered with a reset by the kernel.
func (c *Conn) CloseIdle() {
	if c.state != open || c.out != nil || c.in != nil ||
		c.fd >= 0 && (sockets.Unread(int(c.fd)) || sockets.Unacknowledged(int(c.fd))) {
		c.Close()
		return
	}
	if c.layered() {
		// The end of the layers' output leaves first.
		if input, output := c.ask(c.extra.top); input || output > 0 || c.closeWrite() != nil {
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
	c.attend()
}

// CloseWrite sends FIN once everything that was written has reached the kernel, and
// goes on reading. Nothing more can be written. The connection is closed when the
// peer has stopped sending too.
func (c *Conn) CloseWrite() {
	if c.state == open {
		c.flags |= writeDone
		c.shared.Or(refMute)
		c.attend()
	}
}

// shutWrite follows CloseWrite when everything is flushed, and every event after it.
func (c *Conn) shutWrite() {
	if !c.is(writeShut) && (c.layered() || !c.is(peerDone)) {
		switch err := c.closeWrite(); {
		case err == unix.EAGAIN:
			c.watchProgress(0)
			return
		case err != nil:
			c.closeNow(err)
			return
		case c.state == closed: // a layer has panicked
			return
		}
		c.flags |= writeShut
	}
	if c.is(peerDone) {
		c.closeNow(nil)
	}
}

// Abort ends the connection now, with a reset: pending output is dropped, and the
// peer cannot take what it got for complete. EventClosed comes at the end of the cycle, not
// inside the call, and err is its cause.
func (c *Conn) Abort(err error) {
	if c.state != closed {
		c.flags |= resetOnClose
		c.closeNow(err)
	}
}

// closeNow ends a connection in any state.
func (c *Conn) closeNow(cause error) {
	if c.state == closed {
		return
	}
	c.enter(closed)
	c.cause = cause
	c.shared.Or(refGone)
	c.loop.wheel.Cancel(&c.timer)
	for c.extra != nil && c.extra.timers != nil {
		c.extra.timers.Stop()
	}
	c.loop.closed = append(c.loop.closed, c)
}

// end cuts the connection off: with a reset, because only its handler knows whether
// the answer is complete. While lingering, it is.
func (c *Conn) end(cause error) {
	if c.state == lingering {
		c.closeNow(cause)
		return
	}
	c.Abort(cause)
}

// linger follows when everything is flushed.
func (c *Conn) linger() {
	if c.is(peerDone) && !c.layered() {
		c.closeNow(c.cause)
		return
	}
	switch err := c.closeWrite(); {
	case err == unix.EAGAIN:
		c.watchProgress(0) // a layer has to send the end of its output
		return
	case err != nil: // ENOTCONN: the peer has gone already
		c.closeNow(c.cause)
		return
	case c.state == closed: // a layer has panicked
		return
	case c.is(peerDone) && (c.fd < 0 || c.extra.socket.eof):
		c.closeNow(c.cause)
		return
	}
	c.enter(lingering)
	c.dropInput()
	c.progress = 0
	c.writeBy = 0
	c.deadline = later(c.loop.now, c.settings.LingerTimeout)
	c.armTimer()
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
		// Nothing there yet: go on waiting.
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
	if !c.is(detached) {
		l.call(c.closeTransport)
	}
	l.conns--
	l.count.ended(c.cause)
	l.limit.quotaOf(c).release()
}
