package http1

import (
	"fmt"
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
		dst = x.server.stamp.append(dst, http.StatusOK, x.conn.Loop().Now(), 0)
	} else {
		dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "...)
		dst = append(dst, name...)
		dst = append(dst, "\r\n"...)
		w.status = http.StatusSwitchingProtocols
	}
	dst = append(dst, w.fields.lines...)
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

// Hijack takes the connection off the loop. fn gets it on a goroutine of its own,
// as a net.Conn whose deadlines work, with the bytes that were read behind the
// request. Answers of earlier requests go out first; to this one, what fn writes is
// the answer. Call it in the handler or in Respond; w is not to be used afterwards.
func (w *Response) Hijack(fn func(conn net.Conn, buffered []byte)) {
	x := w.session
	x.upgrade = (&leaving{fn}).Open
	x.sent()
}

// leaving is the protocol of a connection that leaves its loop.
type leaving struct {
	fn func(net.Conn, []byte)
}

func (p *leaving) Open(c *loop.Conn) loop.Handler {
	c.PauseRead()
	// After the current callback, when it is clear which input is left.
	detach := func(c *loop.Conn) {
		conn, buffered, err := c.Detach()
		if err != nil {
			c.Abort(err)
			return
		}
		logger := c.Loop().Logger()
		go func() {
			defer func() {
				if v := recover(); v != nil {
					_ = conn.Close()
					logger.Error("http1: hijacking function panicked", "panic", fmt.Sprintf("%+v", v), "stack", string(debug.Stack()))
				}
			}()
			p.fn(conn, buffered)
		}()
	}
	_ = c.Ref().DoUnbounded(detach) // an error says that the connection is gone
	return p
}

func (p *leaving) OnData(*loop.Conn, []byte) int       { return 0 }
func (p *leaving) OnEvent(*loop.Conn, loop.Event) bool { return false }
