package loop

import (
	"iter"
	"net"

	"github.com/eddynet/eddy/internal/sockets"
)

// AddLayer puts a layer between the connection and its transport, which layer is given. Unused
// input, all further input and output go through it. Call it in the Protocol, or when no output is
// pending: otherwise it returns an error.
func (c *Conn) AddLayer(layer func(below Transport) Transport) error {
	if c.out != nil {
		c.flush()
	}
	switch {
	case c.state != open:
		return ErrClosed
	case c.Pending() > 0:
		return errLayerOutput
	}
	x := c.more()
	if x.top == nil {
		x.socket.conn = c
		x.top, x.bottom = &x.socket, &x.socket
	}
	x.pushback = &pushback{Transport: x.top, next: x.pushback}
	x.top = layer(x.pushback)
	if c.is(delivering) {
		c.flags |= layerAdded // deliver knows how much input is unused
	} else if c.in != nil {
		c.returnInput(c.in.B)
		c.dropInput()
	}
	c.schedule()
	return nil
}

// Layers yields the connection's layers, the last one added first: for functions that find
// a layer of their package, and tell of its state. Without layers, or after Detach, there
// are none.
func (c *Conn) Layers() iter.Seq[Transport] {
	return func(yield func(Transport) bool) {
		if !c.layered() || c.extra.pushback == nil || !yield(c.extra.top) {
			return
		}
		for p := c.extra.pushback; p.next != nil; p = p.next {
			if !yield(p.Transport) {
				return
			}
		}
	}
}

// Wake makes the loop retry reads and writes of the transport. A layer calls it when it can go on
// without an event below; a transport in memory, whenever there is new input or room.
func (c *Conn) Wake() { c.schedule() }

// SetAddrs sets RemoteAddr and LocalAddr: from a PROXY header, or without a socket.
func (c *Conn) SetAddrs(remote, local net.Addr) {
	c.peer = sockets.FromNetAddr(remote)
	c.more().local = sockets.FromNetAddr(local)
}
