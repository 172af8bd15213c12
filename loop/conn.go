package loop

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/poller"
)

// Conn is one connection, from accept to close. It belongs to its loop: its
// methods may be called there only, in a callback of the loop. Ref gives other
// goroutines access to it.
//
// An idle one holds this struct and a table slot, nothing else.
type Conn struct {
	// What every event touches comes first, close together.

	loop     *Loop
	protocol Protocol
	value    any // the protocol's own
	settings *Settings

	in  *buffers.Buffer // input that the protocol has not used; nil if there is none
	out *buffers.Queue  // output that the kernel has not taken; nil if there is none

	token    poller.Token
	fd       int32
	flags    flags
	state    State
	interest poller.Interest
	shared   atomic.Uint32 // refGone, refMute, refFull: read by Refs on any goroutine
	deadline int64         // of the protocol or the state, on the loop's clock; 0 for none
	writeBy  int64         // when pending output stalls out; 0 for none
	timer    timer         // armed at the earlier of the two deadlines, or before it

	progress int64 // bytes taken since writeBy was set; while lingering, bytes discarded
	cause    error // why it closes
	peer     endpoint
	posted   atomic.Int64 // bytes that Refs have written, on their way through the inbox
	timers   *Timer       // of After, the last one first: they end with the connection
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
	readPaused     flags = 1 << iota // by the protocol
	outputFull                       // above the high-water mark, not yet at the low one
	peerDone                         // the peer's FIN has been read
	endUntold                        // the protocol was not told of that: it came later, by Become
	peerHungUp                       // the peer's FIN has been seen behind unread input
	needsAttention                   // in the loop's attention list
	redeliver                        // kept input is to be delivered again
	became                           // Become was called
	ownDeadline                      // the protocol has set a deadline
	resetOnClose                     // close with RST, so that nothing looks complete
	writeDone                        // CloseWrite was called
	writeShut                        // FIN is sent, and the connection still open
	unwatched                        // not registered with the poller for now
	detached                         // the descriptor is not the loop's any more
	fullDuplex                       // EnableFullDuplex was called
	writeBackoff                     // the kernel is short of memory: a timer will write again
	readBackoff                      // the same for reading
	watchBackoff                     // the same for the poller
)

// Settings are the limits and deadlines of a listener's connections: the engine's
// Options of the same names, which say more, as a protocol's Tune has left them.
type Settings struct {
	LowWater, HighWater int64         // bytes of pending output
	MaxOutput           int64         // bytes of pending output beyond which a further write aborts
	MaxInput            int           // bytes of input kept for the protocol
	IdleTimeout         time.Duration // without input, if the protocol sets no deadline
	WriteTimeout        time.Duration // for 16 KiB of output, or all there is
	LingerTimeout       time.Duration // of reading away, after Close
	LingerBytes         int64         // of reading away, after Close
	DrainGrace          time.Duration // that an idle connection is kept in a drain

	refused bool // the connections are beyond the limit, to be told so
}

// Settings are the limits and deadlines of the connection's listener. They must not
// be changed.
func (c *Conn) Settings() *Settings { return c.settings }

func (c *Conn) is(f flags) bool { return c.flags&f != 0 }

// Loop is the loop that the connection lives on.
func (c *Conn) Loop() *Loop { return c.loop }

// State is the value last given to SetState, nil before.
func (c *Conn) State() any { return c.value }

// SetState keeps the protocol's own value for this connection. A pointer costs no
// allocation.
func (c *Conn) SetState(v any) { c.value = v }

// Open says that neither Close nor Abort was called, and nothing failed.
func (c *Conn) Open() bool { return c.state == Open }

// RemoteAddr is the peer's address, a *net.TCPAddr or *net.UnixAddr, made anew at
// each call.
func (c *Conn) RemoteAddr() net.Addr { return c.peer.addr() }

// RemoteAddrPort is the peer's address without an allocation. It is the zero value
// for a Unix socket.
func (c *Conn) RemoteAddrPort() netip.AddrPort { return c.peer.addrPort() }

// Become gives the connection to another protocol: p.OnOpen is called, and input
// that is not used goes to p.OnData when the callback at hand has returned. The
// value of State is cleared. The protocol before gets no OnClose.
func (c *Conn) Become(p Protocol) {
	if c.state != Open {
		return
	}
	c.protocol = bind(p, c.loop)
	c.value = nil
	c.flags = c.flags&^(readPaused|ownDeadline|fullDuplex) | became
	if c.is(peerDone) {
		c.flags |= endUntold
	}
	c.deadline = later(c.loop.now, c.settings.IdleTimeout)
	c.armTimer()
	c.protocol.OnOpen(c)
	if c.loop.draining {
		c.tellDrain()
	}
	c.Again()
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
	if c.state == Closed {
		return
	}
	c.loop.current = c
	switch {
	case r&poller.Failed != 0:
		c.failed()
	case r&(poller.Read|poller.ReadClosed) == 0:
	case c.is(readBackoff):
		c.bothEnded()
	case c.state == Lingering:
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
	case c.state == Lingering:
		c.closeNow(c.cause) // a reset by a peer that has read enough
	case c.wantsRead() && c.backlogged():
		// Kept input is delivered first.
	case c.wantsRead() && c.receive():
	default:
		c.Abort(c.socketError())
	}
}

// settle brings a connection in line after its callbacks: output goes out, water
// marks and closing have their consequences, and the poller learns what the
// connection waits for.
func (c *Conn) settle() {
	if c.is(endUntold) && c.wantsInput() && !c.is(redeliver) {
		c.flags &^= endUntold
		c.endOfInput()
	}
	if c.out != nil && c.state != Closed && !c.is(writeBackoff) {
		c.markFull()
		c.flush()
		c.markDrained()
	}
	if c.out == nil {
		switch {
		case c.state == Closing:
			c.linger()
		case c.state == Open && c.is(writeDone):
			c.shutWrite()
		}
	}
	if want := c.interests(); c.state != Closed && want != c.interest && !c.is(watchBackoff) {
		c.watch(want)
	}
}

// watch registers with the poller what the connection waits for.
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
// the poller would report for ever: after CloseWrite, or when the peer of a Unix
// socket has closed it, and can take no answer.
func (c *Conn) bothEnded() {
	switch {
	case c.state == Lingering:
		c.closeNow(c.cause) // the FIN it has waited for
		return
	case c.state != Open || c.is(peerDone):
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
	case c.state == Lingering || c.wantsRead():
		want = poller.Readable
	case c.state == Open && !c.is(peerDone|peerHungUp):
		want = poller.Hangup
	}
	if c.out != nil && !c.is(writeBackoff) {
		want |= poller.Writable
	}
	return want
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
