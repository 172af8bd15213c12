package loop

import (
	"io"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/buffers"
)

// inputs is the pool for input that is kept. It is mostly the beginning of
// something small, and may be kept for as long as a peer likes.
var inputs = buffers.NewPool(16 << 10)

// wantsInput says whether input is to be delivered.
func (c *Conn) wantsInput() bool {
	held := c.flags & (readPaused | outputFull)
	return c.state == Open && (held == 0 || held == outputFull && c.is(fullDuplex))
}

// wantsRead says whether the socket is to be read.
func (c *Conn) wantsRead() bool { return c.wantsInput() && !c.is(peerDone) }

// Buffered is the number of bytes of input that the protocol has left unused. Within
// OnData it does not count those at hand.
func (c *Conn) Buffered() int {
	if c.in == nil {
		return 0
	}
	return len(c.in.B)
}

// backlogged says that kept input is about to be delivered again. More is read after
// that: what is kept stays within one read of what the protocol makes it.
func (c *Conn) backlogged() bool { return c.is(redeliver) && c.in != nil }

// EOF says that the peer has stopped sending and all its input has been read.
func (c *Conn) EOF() bool { return c.is(peerDone) }

// PauseRead stops reading, and the delivery of input that is kept: what the peer
// sends waits in the kernel, whose flow control will hold it up.
func (c *Conn) PauseRead() { c.flags |= readPaused }

// EnableFullDuplex keeps the connection's input coming while its output is above the
// high-water mark, for protocols whose two directions are independent: relays above
// all. Such a protocol must bound the output itself, by pausing the source of it when
// Full reports true, until OnDrain; Settings.MaxOutput still applies. The default fits
// protocols that answer requests: a peer that does not read its answers is not read.
// Call it in OnOpen.
func (c *Conn) EnableFullDuplex() { c.flags |= fullDuplex }

// ResumeRead ends a pause. Input that is kept is delivered soon, not inside the
// call.
func (c *Conn) ResumeRead() {
	c.flags &^= readPaused
	c.Again()
}

// Again has OnData called once more, soon but not inside the call, with the input
// that is left unused then, even if nothing has come behind it; without any, it does
// nothing. It is for protocols that bound the work of one call, so that others get
// their turn. Until that call the connection is not read: an OnData that uses nothing
// and calls Again each time never sees more, and keeps the loop busy. To wait for
// more input, return without it.
func (c *Conn) Again() {
	c.flags |= redeliver
	c.schedule()
}

// receive reads once and hands the input on. It reports whether there was any, or
// its end.
func (c *Conn) receive() bool {
	l := c.loop
	into, owner := c.inputSpace()
	if !c.wantsRead() { // paused, or closed, by InputSpace
		if owner != nil && c.state != Closed {
			c.filled(owner, 0)
		}
		return false
	}
	n, errno := l.calls.read(int(c.fd), into)
	l.count.BytesRead += uint64(max(n, 0))
	if owner != nil {
		c.filled(owner, max(n, 0))
	}
	switch {
	case c.state != Open || owner != nil && n > 0:
	case n > 0:
		c.take(into[:n])
	case errno == 0:
		c.endOfInput()
	case errno == unix.EAGAIN, errno == unix.EINTR:
		// Somebody else's bytes were announced, or none at all: wait again.
	case errno == unix.ENOBUFS, errno == unix.ENOMEM:
		c.retryLater(readBackoff)
	default:
		c.Abort(errno) // output may be pending: what the peer has got is not the whole
	}
	return errno == 0
}

// take delivers new input behind what is kept, and keeps what is not used.
func (c *Conn) take(p []byte) {
	if !c.is(ownDeadline) {
		c.deadline = later(c.loop.now, c.settings.IdleTimeout)
	}
	if c.in != nil {
		c.in.B = append(c.in.B, p...)
		p = c.in.B
	}
	c.keep(p, c.deliver(p))
}

// redeliver hands kept input to the protocol again.
func (c *Conn) redeliver() {
	c.flags &^= redeliver
	if c.out != nil {
		c.markFull() // by a task or a timer of this cycle: input waits for the low mark
	}
	if c.in != nil && c.wantsInput() {
		c.loop.current = c
		c.keep(c.in.B, c.deliver(c.in.B))
		c.loop.current = nil
	}
}

// keep keeps p[used:], which stands in the loop's buffer or in c.in already.
func (c *Conn) keep(p []byte, used int) {
	rest := p[used:]
	switch {
	case len(rest) == 0 || c.state != Open:
		c.dropInput()
	case len(rest) > c.settings.MaxInput && c.wantsInput(): // a pause stops it growing
		c.Abort(ErrInputFull)
	case c.in == nil:
		c.in = inputs.Get()
		c.in.B = append(c.in.B, rest...)
	case used > 0:
		c.in.B = c.in.B[:copy(c.in.B, rest)]
	}
}

func (c *Conn) dropInput() {
	if c.in != nil {
		inputs.Put(c.in)
		c.in = nil
	}
}

// deliver calls OnData until the protocol that the connection speaks at the end
// has seen what is left, and returns how much was used.
func (c *Conn) deliver(p []byte) int {
	used := 0
	for {
		c.flags &^= became | redeliver
		n := c.onData(p[used:])
		if n < 0 || n > len(p)-used {
			c.Abort(errUsed)
			return len(p)
		}
		used += n
		if !c.is(became) || !c.wantsInput() || used == len(p) {
			return used
		}
	}
}

func (c *Conn) onData(p []byte) (used int) {
	defer c.recovered()
	return c.protocol.OnData(c, p)
}

// endOfInput handles the peer's FIN.
func (c *Conn) endOfInput() {
	c.flags |= peerDone
	if h, ok := c.protocol.(EOFHandler); ok {
		c.call(h.OnEOF)
		return
	}
	c.finish(io.EOF)
}

// hangup handles a FIN that stands behind input which is not being read.
func (c *Conn) hangup() {
	c.flags |= peerHungUp
	if h, ok := c.protocol.(HangupHandler); ok && c.state == Open {
		c.call(h.OnHangup)
	}
}
