package loop

import (
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/internal/outbox"
	"github.com/eddynet/eddy/internal/sockets"
	"github.com/eddynet/eddy/internal/wheel"
	"github.com/eddynet/eddy/poller"
)

// Conn is one connection, from accept to close. Only callbacks of its loop may call its methods;
// Ref gives other goroutines access. An idle one has this struct and a table slot, nothing else.
type Conn struct {
	loop     *Loop // the fields that every event needs come first, close together
	handler  Handler
	userData any
	settings *Settings

	in  *buffers.Buffer // input that the handler has not used; nil if there is none
	out *outbox.Queue   // output that the kernel has not taken; nil if there is none

	token    poller.Token
	fd       int32 // -1 without a socket, or after Detach
	flags    flags
	state    state
	interest poller.Interest
	shared   atomic.Uint32 // gone, mute, full: read by Refs on any goroutine
	deadline int64         // of the handler or the state, on the loop's clock; 0 for none
	writeBy  int64         // when pending output stalls out; 0 for none
	timer    wheel.Timer   // armed at the earlier of the two deadlines, or before it

	progress int64 // bytes taken since writeBy was set; while lingering, bytes discarded
	cause    error // why it closes
	peer     sockets.Addr
	posted   atomic.Int64 // bytes that Refs have written, on their way through the inbox
	extra    *extra       // nil for most connections
}

// The part of a connection's state that its Refs read, as bits of Conn.shared.
const (
	gone uint32 = 1 << iota // closed
	mute                    // takes no more output: closing, closed or after CloseWrite
	full                    // output is above the high-water mark, not yet at the low-water mark
)

func (c *Conn) shows(bit uint32) bool { return c.shared.Load()&bit != 0 }

type flags uint32

const (
	readPaused     flags = 1 << iota // by the handler
	peerDone                         // the end of the peer's input has been read
	eofPending                       // EventEOF is due: the handler came after the end
	peerHungUp                       // the peer's FIN has been seen after unread input
	scheduled                        // to be settled: in Loop.unsettled or Loop.scheduled, or being handled
	redeliver                        // kept input is to be delivered again
	handedOver                       // SetProtocol was called
	ownDeadline                      // SetTimeout was called
	resetOnClose                     // close with RST, so that nothing looks complete
	writeShut                        // FIN is sent, and the connection still open
	unwatched                        // not registered with the poller for now
	fullDuplex                       // EnableFullDuplex was called
	writeRefused                     // by the transport: the last write returned EAGAIN
	writeBackoff                     // the kernel is short of memory: a timer will write again
	readBackoff                      // the same for reading
	watchBackoff                     // the same for the poller
	overloaded                       // beyond the limit of connections
	suppliesBuffer                   // the handler has ReadBuffer
	delivering                       // OnData is being called
	layerAdded                       // AddLayer was called meanwhile: unused input is the layer's
)

// Settings are the limits and deadlines of a connection: the Options of the engine of these names,
// which say more, unless its protocol has changed them.
type Settings struct {
	LowWater, HighWater int64         // bytes of pending output
	MaxOutput           int64         // bytes of pending output beyond which a further write aborts
	MaxInput            int           // bytes of input kept for the handler
	IdleTimeout         time.Duration // without input, if the handler sets no deadline
	WriteTimeout        time.Duration // for 16 KiB of output, or all there is
	LingerTimeout       time.Duration // of discarding input, after Close
	LingerBytes         int64         // of discarded input, after Close
	DrainGrace          time.Duration // for which a drain keeps an idle connection
}

// Settings must not be changed: see SetSettings.
func (c *Conn) Settings() *Settings { return c.settings }

func (c *Conn) is(f flags) bool { return c.flags&f != 0 }

// Loop is the loop that the connection lives on.
func (c *Conn) Loop() *Loop { return c.loop }

// UserData is the value last given to SetUserData, nil before.
func (c *Conn) UserData() any { return c.userData }

// SetUserData keeps a value of the protocol. A pointer costs no allocation.
func (c *Conn) SetUserData(v any) { c.userData = v }

// Open reports that neither Close nor Abort was called, and nothing failed.
func (c *Conn) Open() bool { return c.state == open }

// Overloaded reports that the connection is beyond Options.MaxConns, and open to be refused
// (Options.MaxRefusals): the protocol should respond briefly, and close.
func (c *Conn) Overloaded() bool { return c.is(overloaded) }

// Err is the cause of the end, for EventClosed: nil after Close, io.EOF when the peer closed first,
// otherwise an error. It is nil on an open connection.
func (c *Conn) Err() error { return c.cause }

// RemoteAddr is the peer's address, a *net.TCPAddr or *net.UnixAddr. Each call allocates.
func (c *Conn) RemoteAddr() net.Addr { return c.peer.NetAddr() }

// RemoteAddrPort is RemoteAddr without an allocation; the zero value for a Unix socket.
func (c *Conn) RemoteAddrPort() netip.AddrPort { return c.peer.AddrPort() }

// LocalAddr is the address that the peer has connected to, a *net.TCPAddr or *net.UnixAddr. Each
// call asks the kernel. It is nil if the connection is gone.
func (c *Conn) LocalAddr() net.Addr {
	switch {
	case c.state == closed:
		return nil
	case c.extra != nil && c.extra.local.IsSet():
		return c.extra.local.NetAddr()
	}
	addr, _ := sockets.LocalAddr(int(c.fd)) // nil with an error
	return addr
}

// schedule has the connection settled: after its own event, otherwise at the end of the cycle.
func (c *Conn) schedule() {
	if !c.is(scheduled) && c.state != closed {
		c.flags |= scheduled
		c.loop.scheduled = append(c.loop.scheduled, c)
	}
}

type state uint8

const (
	// open: to closing by Close, to closed by Abort, a failure or a deadline.
	open state = iota
	// closing: output is flushed. To lingering then, or to closed if the peer's FIN was read
	// before, on a failure or when the peer reads nothing.
	closing
	// lingering: FIN is sent, and input is discarded, since closing a socket with unread input
	// would destroy output on its way. To closed, at the peer's FIN or a limit.
	lingering
	// closed: nothing happens any more. EventClosed comes at the end of the cycle.
	closed
)

// enter is the one place where the state changes. Only closing leads to lingering.
func (c *Conn) enter(next state) {
	if next <= c.state || c.state == open && next == lingering {
		panic(fmt.Sprintf("eddy: connection cannot go from state %d to %d", c.state, next))
	}
	c.state = next
	c.shared.Or(mute) // only an open connection takes output
}

// extra is what most connections do not need.
type extra struct {
	top      Transport // read from and written to; nil for the socket itself
	pushback *pushback // below the layer that was added last
	bottom   Transport // the socket, or memory
	socket   socketTransport
	noted    int64               // bytes of output, pending with the layers, that Stats counts
	timers   map[*Timer]struct{} // of After: they end with the connection
	local    sockets.Addr        // of SetAddrs
}

func (c *Conn) more() *extra {
	if c.extra == nil {
		c.extra = &extra{}
	}
	return c.extra
}

// Abort ends the connection now: with a reset, so that the peer cannot take truncated output for a
// complete response. EventClosed comes at the end of the cycle, with err as the cause.
func (c *Conn) Abort(err error) {
	if c.state != closed {
		c.flags |= resetOnClose
		c.closeNow(err)
	}
}

func (c *Conn) closeNow(cause error) {
	if c.state == closed {
		return
	}
	c.enter(closed)
	c.cause = cause
	c.shared.Or(gone)
	c.loop.wheel.Cancel(&c.timer)
	if c.extra != nil {
		for t := range c.extra.timers {
			t.Stop()
		}
	}
	c.loop.closed = append(c.loop.closed, c)
}

// call hands the connection to fn. A panic costs this connection only.
func (c *Conn) call(fn func(*Conn)) {
	defer c.recovered()
	fn(c)
}

// recovered ends a connection whose callback has panicked. It must be deferred.
func (c *Conn) recovered() {
	if v := recover(); v != nil {
		c.flags |= resetOnClose
		c.closeNow(c.loop.Panicked(v))
	}
}

func (c *Conn) event(e Event) (handled bool) {
	defer c.recovered()
	return c.handler.OnEvent(c, e)
}
