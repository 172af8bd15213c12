package loop

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/internal/sockets"
	"github.com/eddynet/eddy/internal/wheel"
	"github.com/eddynet/eddy/poller"
)

// Conn is one connection, from accept to close. It belongs to its loop: its
// methods may be called there only, in a callback of the loop. Ref gives other
// goroutines access to it.
//
// An idle one holds this struct and a table slot, nothing else.
type Conn struct {
	// The fields that every event needs come first, close together.

	loop     *Loop
	handler  Handler
	userData any
	settings *Settings

	in  *buffers.Buffer // input that the handler has not used; nil if there is none
	out *buffers.Queue  // output that the kernel has not taken; nil if there is none

	token    poller.Token
	fd       int32 // -1 without a socket
	flags    flags
	state    state
	interest poller.Interest
	shared   atomic.Uint32 // refGone, refMute, refFull: read by Refs on any goroutine
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
	refGone uint32 = 1 << iota // closed
	refMute                    // takes no more output: closing, closed or after CloseWrite
	refFull                    // output is above the high-water mark
)

// flags are the conditions of a connection beside its state.
type flags uint32

const (
	readPaused     flags = 1 << iota // by the handler
	outputFull                       // above the high-water mark, not yet at the low-water mark
	peerDone                         // the end of the peer's input has been read
	eofPending                       // EventEOF is due: the handler came after the end
	peerHungUp                       // the peer's FIN has been seen behind unread input
	needsAttention                   // in the loop's attention list
	redeliver                        // kept input is to be delivered again
	handedOver                       // SetProtocol was called
	ownDeadline                      // SetTimeout was called
	resetOnClose                     // close with RST, so that nothing looks complete
	writeDone                        // CloseWrite was called
	writeShut                        // FIN is sent, and the connection still open
	unwatched                        // not registered with the poller for now
	detached                         // the descriptor is not the loop's any more
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

// Settings are the limits and deadlines of a connection: the engine's Options of the same
// names, which say more, unless its protocol has changed them.
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

// Settings are the limits and deadlines of the connection. They must not be changed: see
// SetSettings.
func (c *Conn) Settings() *Settings { return c.settings }

// SetSettings replaces the limits and deadlines, for a protocol that has its own: call it
// in the Protocol with a changed copy of Settings. One copy may serve all connections of
// a loop, which start with the same settings. It must not change afterwards.
func (c *Conn) SetSettings(s *Settings) {
	if s.WriteTimeout != c.settings.WriteTimeout && c.fd >= 0 {
		sockets.BoundUnacknowledged(int(c.fd), s.WriteTimeout)
	}
	c.settings = s
	if !c.is(ownDeadline) {
		c.deadline = later(c.loop.now, s.IdleTimeout)
		c.armTimer()
	}
}

func (c *Conn) is(f flags) bool { return c.flags&f != 0 }

// Loop is the loop that the connection lives on.
func (c *Conn) Loop() *Loop { return c.loop }

// UserData is the value last given to SetUserData, nil before.
func (c *Conn) UserData() any { return c.userData }

// SetUserData keeps a value of the protocol for this connection. A pointer costs no
// allocation.
func (c *Conn) SetUserData(v any) { c.userData = v }

// Open reports that neither Close nor Abort was called, and nothing failed.
func (c *Conn) Open() bool { return c.state == open }

// Overloaded reports that the connection is beyond Options.MaxConns, and was accepted to
// be told so (Options.MaxRefusals): the protocol should answer briefly, and close.
func (c *Conn) Overloaded() bool { return c.is(overloaded) }

// Err is the cause of the connection's end, for EventClosed: nil after Close, io.EOF when
// the peer closed first, otherwise an error. It is nil while the connection is open.
func (c *Conn) Err() error { return c.cause }

// RemoteAddr is the peer's address, a *net.TCPAddr or *net.UnixAddr, which each call
// allocates.
func (c *Conn) RemoteAddr() net.Addr { return c.peer.NetAddr() }

// RemoteAddrPort is the peer's address without an allocation. It is the zero value
// for a Unix socket.
func (c *Conn) RemoteAddrPort() netip.AddrPort { return c.peer.AddrPort() }

// LocalAddr is the address that the peer has connected to, a *net.TCPAddr or
// *net.UnixAddr, which each call asks of the kernel; nil if the connection is gone.
func (c *Conn) LocalAddr() net.Addr {
	switch {
	case c.state == closed:
		return nil
	case c.extra != nil && c.extra.local.IsSet():
		return c.extra.local.NetAddr()
	}
	addr, err := sockets.LocalAddr(int(c.fd))
	if err != nil {
		return nil
	}
	return addr
}

// attend has the connection settled at the end of the cycle, unless its own event
// is being handled, which ends with that.
func (c *Conn) attend() {
	if c.loop.current != c {
		c.schedule()
	}
}

func (c *Conn) schedule() {
	if !c.is(needsAttention) {
		c.flags |= needsAttention
		c.loop.attention = append(c.loop.attention, c)
	}
}

// ready handles the connection's event of this cycle.
func (c *Conn) ready(r poller.Ready) {
	if c.state == closed {
		return
	}
	c.loop.current = c
	switch {
	case r&poller.Failed != 0:
		c.failed()
	case r&(poller.Read|poller.ReadClosed) == 0:
	case c.is(readBackoff):
		c.bothEnded()
	case c.state == lingering:
		c.discard()
	case c.wantsRead():
		if !c.backlogged() {
			c.receive()
		}
	case c.is(watchBackoff):
		// Of a registration that could be neither replaced nor deleted.
	case c.interest&(poller.Readable|poller.Hangup) == 0:
		c.bothEnded()
	case r&poller.ReadClosed != 0:
		c.hangup()
	}
	c.loop.current = nil
	c.loop.unsettled = append(c.loop.unsettled, c)
}

// failed handles a broken socket. Input that came before the failure is read first:
// the read after it returns the cause.
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

// resume goes on with a connection that was written to, resumed or woken outside its own
// event.
func (c *Conn) resume() {
	c.flags &^= needsAttention
	if c.is(redeliver) {
		c.redeliver()
	}
	if c.hasInput() && !c.backlogged() && !c.is(readBackoff) {
		c.loop.current = c
		switch {
		case c.state == lingering:
			c.discard()
		case c.wantsRead():
			c.receive()
		}
		c.loop.current = nil
	}
	c.settle()
}

// settle brings a connection in line after its callbacks: output goes out, water
// marks and closing have their consequences, and the poller learns what the
// connection waits for.
func (c *Conn) settle() {
	if c.is(eofPending) && c.wantsInput() && !c.is(redeliver) {
		c.flags &^= eofPending
		c.endOfInput()
	}
	if c.state != closed && !c.is(writeBackoff) && (c.out != nil || c.held() > 0) {
		c.markFull()
		c.flush()
		c.markDrained()
	}
	if c.out == nil && c.held() == 0 {
		switch {
		case c.state == closing:
			c.linger()
		case c.state == open && c.is(writeDone):
			c.shutWrite()
		}
	}
	if want := c.interests(); c.state != closed && want != c.interest && !c.is(watchBackoff) {
		c.watch(want)
	}
	if c.hasInput() && (c.wantsRead() || c.state == lingering) && !c.is(readBackoff) ||
		c.fd < 0 && c.interest&poller.Writable != 0 && c.state != closed {
		c.schedule() // the poller does not know of it
	}
}

// watch registers with the poller what the connection waits for.
func (c *Conn) watch(want poller.Interest) {
	if c.fd < 0 {
		c.interest = want
		return
	}
	register := c.loop.poller.Set
	if c.is(unwatched) {
		register = c.loop.poller.Add
	}
	err := register(int(c.fd), c.token, want)
	switch {
	case err == nil:
		c.interest = want
		c.flags &^= unwatched
	case shortOfWatches(err):
		// After a failed Set the state of the registration is unknown: it is made
		// again, or, if it cannot be deleted either, set again.
		if !c.is(unwatched) && c.loop.poller.Delete(int(c.fd)) == nil {
			c.flags |= unwatched
		}
		c.interest = unregistered
		c.retryLater(watchBackoff)
	default:
		c.Abort(err)
	}
}

// unregistered as Conn.interest differs from everything that interests returns: the
// connection is to be registered whatever it waits for.
const unregistered poller.Interest = 1 << 7

// unwatch ends the registration with the poller until the interest changes.
func (c *Conn) unwatch() {
	if c.is(unwatched) {
		return
	}
	c.flags |= unwatched
	if err := c.loop.poller.Delete(int(c.fd)); err != nil {
		c.Abort(err)
	}
}

// shortOfWatches reports whether the poller may take the registration later: the kernel
// is short of memory, or the user of watches (epoll_ctl(2), ENOSPC).
func shortOfWatches(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.ENOMEM)
}

// bothEnded handles the end of both directions while nothing is waited for, which
// the poller would report again and again: after CloseWrite, or when the peer of a Unix
// socket has closed it, and can take no answer.
func (c *Conn) bothEnded() {
	switch {
	case c.state == lingering:
		c.closeNow(c.cause) // the FIN it has waited for
		return
	case c.state != open || c.is(peerDone):
		c.closeNow(unix.EPIPE)
		return
	}
	c.unwatch() // the end comes after input that is to be read later
}

// interests is what the connection waits for.
func (c *Conn) interests() poller.Interest {
	var want poller.Interest
	switch {
	case c.is(readBackoff):
	case c.state == lingering || c.wantsRead():
		want = poller.Readable
	case c.state == open && !c.is(peerDone|peerHungUp):
		want = poller.Hangup
	}
	if c.waitsForRoom() && !c.is(writeBackoff) {
		want |= poller.Writable
	}
	return want
}

// waitsForRoom reports whether output waits for the socket to take more, or only for the
// next cycle. A layer that refuses output although the socket has room calls Wake.
func (c *Conn) waitsForRoom() bool {
	if c.layered() {
		return (c.out != nil || c.held() > 0) && (!c.is(writeRefused) || c.extra.socket.full)
	}
	return c.out != nil
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
