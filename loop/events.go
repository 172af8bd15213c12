package loop

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
	"github.com/eddynet/eddy/poller"
)

func (c *Conn) ready(r poller.Ready) {
	if c.state == closed {
		return
	}
	queued := c.is(scheduled)
	c.flags |= scheduled
	switch {
	case r&poller.Failed != 0:
		c.failed()
	case r&(poller.Read|poller.ReadClosed) == 0:
	case c.is(readBackoff):
		c.bothEnded()
	case c.wantsRead():
		if !c.backlogged() {
			c.receive()
		}
	case c.is(watchBackoff):
		// Of a registration that could be neither replaced nor deleted.
	case c.interest&(poller.Readable|poller.Hangup) == 0:
		c.bothEnded()
	case r&poller.ReadClosed != 0: // after input that is not being read
		c.flags |= peerHungUp
		if c.state == open {
			c.event(EventHangup)
		}
	}
	if !queued {
		c.loop.unsettled = append(c.loop.unsettled, c)
	}
}

// failed handles a broken socket. Input from before is read first: the read after it has the cause.
func (c *Conn) failed() {
	switch {
	case c.state == lingering:
		c.closeNow(c.cause) // a reset by a peer that has read enough
	case c.wantsRead() && c.backlogged():
		// Kept input is delivered first.
	case c.wantsRead() && c.receive():
	default:
		c.Abort(sockets.Error(int(c.fd)))
	}
}

// resume settles a connection that was written to, resumed or woken outside its own event.
func (c *Conn) resume() {
	if c.is(redeliver) {
		c.redeliver()
	}
	if c.hasInput() && c.wantsRead() && !c.backlogged() && !c.is(readBackoff) {
		c.receive()
	}
	c.settle()
}

// settle follows the callbacks of a connection: output, water marks, closing, the interest.
func (c *Conn) settle() {
	c.flags &^= scheduled
	if c.state == closed {
		return
	}
	if c.is(eofPending) && c.wantsInput() && !c.is(redeliver) {
		c.flags &^= eofPending
		c.endOfInput()
	}
	if c.state != closed && !c.is(writeBackoff) && !c.flushed() {
		c.markFull()
		c.flush()
		c.markDrained()
	}
	if c.shows(mute) && c.state < lingering && c.flushed() {
		c.shut()
	}
	want := c.interests()
	if c.fd >= 0 && c.state != closed && want != c.interest && !c.is(watchBackoff) {
		c.watch(want)
	}
	if c.is(redeliver) || c.hasInput() && c.wantsRead() && !c.is(readBackoff) ||
		c.fd < 0 && want&poller.Writable != 0 {
		c.schedule() // the poller does not know of it
	}
}

func (c *Conn) watch(want poller.Interest) {
	register := c.loop.poller.Set
	if c.is(unwatched) {
		register = c.loop.poller.Add
	}
	err := register(int(c.fd), c.token, want)
	switch {
	case err == nil:
		c.interest = want
		c.flags &^= unwatched
	case errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.ENOMEM): // of watches, or memory: epoll_ctl(2)
		// After a failed Set the registration is unknown: it is made again, or else set again.
		if !c.is(unwatched) && c.loop.poller.Delete(int(c.fd)) == nil {
			c.flags |= unwatched
		}
		c.interest = unregistered
		c.retryLater(watchBackoff)
	default:
		c.Abort(err)
	}
}

// unregistered as Conn.interest differs from everything that interests returns.
const unregistered poller.Interest = 1 << 7

// bothEnded handles the end of both directions, which the poller reports again and again: after
// CloseWrite, or when the peer of a Unix socket has closed.
func (c *Conn) bothEnded() {
	switch {
	case c.state == lingering:
		c.closeNow(c.cause) // the FIN it has waited for
		return
	case c.state != open || c.is(peerDone):
		c.closeNow(unix.EPIPE)
		return
	}
	if !c.is(unwatched) { // the end comes after input that is to be read later
		c.flags |= unwatched
		if err := c.loop.poller.Delete(int(c.fd)); err != nil {
			c.Abort(err)
		}
	}
}

func (c *Conn) interests() poller.Interest {
	var want poller.Interest
	switch {
	case c.is(readBackoff):
	case c.wantsRead():
		want = poller.Readable
	case c.state == open && !c.is(peerDone|peerHungUp):
		want = poller.Hangup
	}
	if c.waitsForRoom() && !c.is(writeBackoff) {
		want |= poller.Writable
	}
	return want
}

// waitsForRoom reports whether output waits for the socket, not only for the next cycle. A layer
// that refuses output although the socket has room calls Wake.
func (c *Conn) waitsForRoom() bool {
	if c.layered() {
		return !c.flushed() && (!c.is(writeRefused) || c.extra.socket.full)
	}
	return c.out != nil
}
