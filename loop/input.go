package loop

import (
	"io"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/buffers"
)

// maxFill bounds in bytes how much one read puts into memory of the handler's.
const maxFill = 256 << 10

// inputs is for kept input: mostly the beginning of a small message, kept as long as a peer likes.
var inputs = buffers.NewPool(16 << 10)

func (c *Conn) wantsInput() bool {
	return c.state == open && !c.is(readPaused) && (!c.shows(full) || c.is(fullDuplex))
}

// wantsRead reports whether the transport is to be read, not only kept input delivered.
func (c *Conn) wantsRead() bool {
	return c.wantsInput() && !c.is(peerDone) || c.state == lingering
}

// Buffered is the number of bytes of unused input, without those that OnData is called with.
func (c *Conn) Buffered() int {
	if c.in == nil {
		return 0
	}
	return len(c.in.B)
}

// backlogged reports that kept input is delivered again before more is read.
func (c *Conn) backlogged() bool { return c.is(redeliver) && c.in != nil }

// EOF reports that the peer has stopped sending and all its input has been read.
func (c *Conn) EOF() bool { return c.is(peerDone) }

// PauseRead stops reading, and the delivery of kept input: flow control slows the peer down.
func (c *Conn) PauseRead() { c.flags |= readPaused }

// EnableFullDuplex keeps input coming while output is above the high-water mark, for protocols with
// two independent directions, such as relays. They must bound the output by pausing its source when
// Full reports true, until EventWritable; Settings.MaxOutput still applies. The default is for
// requests and responses: a peer that does not read is not read. Call it in the Protocol.
func (c *Conn) EnableFullDuplex() { c.flags |= fullDuplex }

// ResumeRead ends a pause. Kept input is delivered soon, not inside the call.
func (c *Conn) ResumeRead() {
	c.flags &^= readPaused
	c.Redeliver()
}

// Redeliver has OnData called once more with the unused input, if there is any, soon but not inside
// the call. It is for handlers that bound the work of one call, so that other connections get their
// turn. Until that call nothing is read: an OnData that uses nothing and calls Redeliver each time
// keeps the loop busy. To wait for more input, return without it.
func (c *Conn) Redeliver() {
	c.flags |= redeliver
	c.schedule()
}

// receive reads once, and delivers or discards. It reports whether there was input, or its end.
func (c *Conn) receive() bool {
	if c.state == lingering {
		c.discard()
		return true
	}
	into, supplied := c.readBuffer()
	n, err := 0, error(unix.EAGAIN)
	if c.wantsRead() { // not paused, or closed, by ReadBuffer
		n, err = c.read(into)
		c.loop.count.BytesRead += uint64(n)
	}
	if (n > 0 || supplied) && c.state != closed {
		c.deliverNew(into[:n])
	}
	switch {
	case n > 0 || c.state != open:
	case err == io.EOF:
		c.endOfInput()
		return true
	case notNow(err):
		// A spurious event: wait again.
	case shortOfMemory(err):
		c.retryLater(readBackoff)
	default:
		c.Abort(err) // pending output may be lost: the peer must not mistake a part for all
	}
	return n > 0
}

func (c *Conn) readBuffer() (into []byte, supplied bool) {
	into = c.loop.input
	if !c.is(suppliesBuffer) || c.in != nil {
		return into, false
	}
	defer c.recovered()
	if p := c.handler.(BufferSupplier).ReadBuffer(c); len(p) > 0 {
		return p[:min(len(p), maxFill)], true
	}
	return into, false
}

// deliverNew delivers kept and new input. p is empty if the handler has supplied memory in vain.
func (c *Conn) deliverNew(p []byte) {
	if len(p) > 0 && !c.is(ownDeadline) {
		c.deadline = later(c.loop.now, c.settings.IdleTimeout)
	}
	if c.in != nil {
		c.in.B = append(c.in.B, p...)
		p = c.in.B
	}
	c.keep(p, c.deliver(p))
}

func (c *Conn) redeliver() {
	c.flags &^= redeliver
	if c.out != nil {
		c.markFull() // by a task or a timer of this cycle: input waits for the low mark
	}
	if c.in != nil && c.wantsInput() {
		c.keep(c.in.B, c.deliver(c.in.B))
	}
}

// keep keeps p[used:], which is in the loop's buffer or in c.in.
func (c *Conn) keep(p []byte, used int) {
	rest := p[used:]
	switch {
	case len(rest) == 0 || c.state != open:
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

// deliver calls OnData until the last handler has seen the rest, and returns how much was used.
func (c *Conn) deliver(p []byte) (used int) {
	defer c.recovered()
	for {
		c.flags = c.flags&^(handedOver|redeliver) | delivering
		n := c.handler.OnData(c, p[used:])
		c.flags &^= delivering
		if n < 0 || n > len(p)-used {
			c.Abort(errUsed)
			return len(p)
		}
		used += n
		switch {
		case c.is(layerAdded) && c.state == open:
			c.returnInput(p[used:])
			return len(p)
		case !c.is(handedOver) || !c.wantsInput() || used == len(p):
			return used
		}
	}
}

func (c *Conn) endOfInput() {
	c.flags |= peerDone
	if !c.event(EventEOF) {
		c.finish(io.EOF)
	}
}
