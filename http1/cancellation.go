package http1

import (
	"context"

	"github.com/eddynet/eddy/internal/lifetime"
	"github.com/eddynet/eddy/loop"
)

// cancellation notifies those who work on a response that nobody waits for it any more. It
// is a part of Deferred and Stream.
type cancellation struct {
	ref      loop.Ref
	loop     *loop.Loop
	lifetime lifetime.Lifetime
	released bool        // the response was given: the program does not use the request any more. Loop only
	onGone   func(error) // loop only
}

// begin is called when somebody begins to work on the response of x.
func (c *cancellation) begin(x *session) {
	c.ref, c.loop, x.awaited = x.conn.Ref(), x.conn.Loop(), c
	if x.peerGone {
		c.lifetime.End(ErrClientGone)
	}
	x.setTimeout()
}

// OnGone has fn called, once, if the client goes away before the response; at once, if it
// has gone already; and if the server responds itself, because a deferred response has
// timed out or the request body is invalid. cause is that of Context. A client that has
// only stopped sending still waits for its response: the connection stays open until the
// response or the deadline. Loop only, as fn is.
func (c *cancellation) OnGone(fn func(cause error)) {
	if cause := c.lifetime.Cause(); cause != nil && !c.released {
		fn(cause)
		return
	}
	c.onGone = fn
}

// Context is cancelled when the response is given, when it has timed out, and when the
// client has gone. context.Cause is, respectively, context.Canceled or ErrStreamEnded,
// context.DeadlineExceeded, ErrClientGone or the error of the connection. A client that has
// only stopped sending counts as gone, although a response is still sent. Any goroutine.
func (c *cancellation) Context() context.Context { return c.lifetime.Context() }

// cancel ends the context, and calls OnGone's function.
func (c *cancellation) cancel(cause error) {
	c.lifetime.End(cause)
	if fn := c.onGone; fn != nil && !c.released {
		c.onGone = nil
		fn(cause)
	}
}
