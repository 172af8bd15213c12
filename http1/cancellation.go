package http1

import (
	"context"

	"github.com/eddynet/eddy/internal/lifetime"
	"github.com/eddynet/eddy/loop"
)

// cancellation, a part of Deferred and Stream, says that nobody waits for a response any more.
type cancellation struct {
	ref      loop.Ref
	loop     *loop.Loop
	lifetime lifetime.Lifetime
	released bool        // the response was given: the program does not use the request any more. Loop only
	onGone   func(error) // loop only
}

func (c *cancellation) begin(x *session) {
	c.ref, c.loop, x.awaited = x.conn.Ref(), x.conn.Loop(), c
	if x.peerGone {
		c.lifetime.End(ErrClientGone)
	}
	x.setTimeout()
}

// OnGone has fn called, once, if the client goes away before the response, at once if it has gone;
// and if the server responds itself, because of a timeout or an invalid body. cause is that of
// Context. A client that has only stopped sending still waits for its response: the connection
// stays open until the response or the deadline. Loop only, as fn is.
func (c *cancellation) OnGone(fn func(cause error)) {
	if cause := c.lifetime.Cause(); cause != nil && !c.released {
		fn(cause)
		return
	}
	c.onGone = fn
}

// Context is cancelled when the response is given, when it has timed out, and when the client has
// gone. context.Cause is, respectively, context.Canceled or ErrStreamEnded,
// context.DeadlineExceeded, ErrClientGone or the error of the connection. A client that has only
// stopped sending counts as gone, although a response is still sent. Any goroutine.
func (c *cancellation) Context() context.Context { return c.lifetime.Context() }

func (c *cancellation) cancel(cause error) {
	c.lifetime.End(cause)
	if fn := c.onGone; fn != nil && !c.released {
		c.onGone = nil
		fn(cause)
	}
}
