package http1

import (
	"context"

	"github.com/eddynet/eddy/internal/lifetime"
)

// departure tells those who work on an answer that nobody waits for it any more. It is a
// part of Deferred and Stream.
type departure struct {
	lifetime lifetime.Lifetime
	settled  bool        // the answer was given: nobody uses the request any more. Loop only
	onGone   func(error) // loop only
}

// OnGone has fn called, once, if the client goes away before the answer is given; at
// once, if it has gone already; and if the server answers by itself, because the time for
// a deferred answer is up, or the body of its request breaks a rule. cause is that of
// Context. A client that has only stopped sending waits for its answer: the connection
// stays open until there is one, or the deadline has passed. Loop only, as fn is.
func (d *departure) OnGone(fn func(cause error)) {
	if cause := d.lifetime.Cause(); cause != nil && !d.settled {
		fn(cause)
		return
	}
	d.onGone = fn
}

// Context is cancelled when the answer is given, when its time is up, and when the
// client has gone; context.Cause tells which: context.Canceled or ErrStreamEnded,
// context.DeadlineExceeded, ErrClientGone, or what broke the connection. A client
// that has only stopped sending counts as gone, though an answer is still tried.
// Any goroutine.
func (d *departure) Context() context.Context { return d.lifetime.Context() }

// abandon ends the context, and tells the program.
func (d *departure) abandon(cause error) {
	d.lifetime.End(cause)
	if fn := d.onGone; fn != nil && !d.settled {
		d.onGone = nil
		fn(cause)
	}
}
