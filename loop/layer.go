package loop

import (
	"errors"
	"iter"
	"net"

	"github.com/eddynet/eddy/internal/sockets"
)

// AddLayer puts a layer between the connection and its transport, which layer is given.
// Input that is not used, and all that follows, goes through the layer, and so does
// everything that is written from now on. Call it in the Protocol, or when no output is
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

// Wake makes the loop retry reads and writes of the connection's transport. A layer calls
// it when it can go on although nothing has happened below; a transport in memory,
// whenever there is new input or room.
func (c *Conn) Wake() { c.schedule() }

// SetAddrs sets the addresses of peer and local end, for RemoteAddr and LocalAddr: those
// of a PROXY header, or of a connection without a socket.
func (c *Conn) SetAddrs(remote, local net.Addr) {
	c.peer = sockets.FromNetAddr(remote)
	c.more().local = sockets.FromNetAddr(local)
}

var errLayerOutput = errors.New("eddy: AddLayer while output is pending, which would pass through the layer: wait until Pending is 0")
