package http1

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"

	"github.com/eddynet/eddy/httpparse"
	"github.com/eddynet/eddy/loop"
)

// Upgrade answers with 101 Switching Protocols and hands the connection to p, which
// gets the bytes behind the request as its first input (RFC 9110 section 7.8). name
// must be a protocol that the client has offered; fields set before, such as
// Sec-WebSocket-Accept, are sent. For a CONNECT request the answer is 200 and name
// does not matter. Call it in the handler or in Respond; nothing can be written to w
// afterwards.
func (w *Response) Upgrade(name string, p loop.Protocol) error {
	x := w.session
	tunnel := x.request.head.Form == httpparse.AuthorityForm
	if !tunnel && !x.request.offers(name) {
		return ErrNotOffered
	}
	if x.in != complete {
		return ErrNotOffered // OnHead: the client still sends a body
	}
	out := x.conn.Out()
	dst := out.B
	if tunnel {
		w.head.Status = http.StatusOK
		dst = x.server.stamp.append(dst, &w.head, x.conn.Loop().Now())
	} else {
		dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "...)
		dst = append(dst, name...)
		dst = append(dst, "\r\n"...)
		w.head.Status = http.StatusSwitchingProtocols
		dst = append(dst, w.head.fields.lines...)
	}
	out.B = append(dst, "\r\n"...)
	x.upgrade = p
	x.sent()
	return nil
}

// offers says whether the field Upgrade lists the protocol.
func (r *Request) offers(name string) bool {
	list := r.view(r.head.Upgrade)
	for len(list) > 0 {
		var offer []byte
		offer, list = httpparse.CutElement(list)
		if httpparse.EqualFold(offer, name) {
			return true
		}
	}
	return false
}

// Hijack takes the connection off the loop. fn gets it, once, on a goroutine of its own,
// as a net.Conn whose deadlines work, with the bytes that were read after the request; or
// the error, if it broke before. What was written goes out first: answers of earlier
// requests, and the beginning of this one, if it is a Stream, which ends. What fn writes
// is the answer, or the rest of it. Call it in the handler, in Respond or in Deferred.Do;
// w is not to be used afterwards.
func (w *Response) Hijack(fn func(conn net.Conn, buffered []byte, err error)) {
	x := w.session
	if x.out == streaming {
		x.stream.end(ErrStreamEnded)
	}
	x.leaving = &leaving{fn}
	x.upgrade = x.leaving.Open
	x.sent()
}

// leaving is the protocol of a connection that leaves its loop.
type leaving struct {
	fn func(net.Conn, []byte, error) // nil once it was called
}

// Open opens the connection on its way out.
func (p *leaving) Open(c *loop.Conn) loop.Handler {
	c.PauseRead()
	// After the current callback, when it is clear which input is left.
	_ = c.Ref().DoUnbounded(func(c *loop.Conn) { // or EventClosed comes
		conn, buffered, err := c.Detach()
		p.leave(c.Loop().Logger(), conn, buffered, err)
		if err != nil {
			c.Abort(err)
		}
	})
	return p
}

func (p *leaving) OnData(*loop.Conn, []byte) int { return 0 }

// OnEvent waits for the end, after Detach or without it.
func (p *leaving) OnEvent(c *loop.Conn, e loop.Event) (handled bool) {
	if e == loop.EventClosed {
		p.leave(c.Loop().Logger(), nil, nil, cmp.Or(c.Err(), ErrClientGone))
	}
	return false
}

// leave calls fn, unless it was called before.
func (p *leaving) leave(logger *slog.Logger, conn net.Conn, buffered []byte, err error) {
	fn := p.fn
	if p.fn = nil; fn == nil {
		return
	}
	go func() {
		defer func() {
			if v := recover(); v != nil {
				if conn != nil {
					_ = conn.Close()
				}
				logger.Error("http1: hijacking function panicked", "panic", fmt.Sprintf("%+v", v), "stack", string(debug.Stack()))
			}
		}()
		fn(conn, buffered, err)
	}()
}
