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

// Upgrade responds with 101 Switching Protocols and passes the connection to p, with the bytes
// after the request as the first input (RFC 9110 section 7.8). Fields set before, such as
// Sec-WebSocket-Accept, are sent. The response to CONNECT is 200, and name is ignored. The error
// says that the client did not offer the protocol, or that the request is incomplete. Call it in
// the handler or in Respond; w must not be used afterwards.
func (w *Response) Upgrade(name string, p loop.Protocol) error {
	x := w.session
	tunnel := x.request.head.Form == httpparse.AuthorityForm
	switch {
	case !tunnel && !x.request.offers(name):
		return errNotOffered
	case x.in != done:
		return errEarlyUpgrade
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
		dst = append(dst, w.head.fields...)
	}
	out.B = append(dst, "\r\n"...)
	x.upgrade = p
	x.sent()
	return nil
}

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

// Hijack removes the connection from the loop. fn is called once, on its own goroutine, with a
// net.Conn that has deadlines and the bytes read after the request; or with the error of the
// connection. Pending output is sent first: earlier responses, and the beginning of a Stream, which
// ends. fn writes the response, or its rest. Call it in the handler, in Respond or in Deferred.Do;
// w must not be used afterwards.
func (w *Response) Hijack(fn func(conn net.Conn, buffered []byte, err error)) {
	x := w.session
	if x.out == streaming {
		x.stream.end(ErrStreamEnded)
	}
	c := x.conn
	x.upgrade = leaving{}.Open
	x.sent()
	_ = c.Loop().PostUnbounded(func() { // after this callback, when the unused input is known
		conn, buffered, err := c.Detach()
		if err != nil {
			if c.Open() {
				c.Abort(err)
			}
			err = cmp.Or(c.Err(), ErrClientGone)
		}
		go callHijacker(c.Loop().Logger(), fn, conn, buffered, err)
	})
}

// leaving is the Protocol and the Handler of a connection that leaves its loop.
type leaving struct{}

func (leaving) Open(c *loop.Conn) loop.Handler {
	c.PauseRead()
	return leaving{}
}

func (leaving) OnData(*loop.Conn, []byte) int       { return 0 }
func (leaving) OnEvent(*loop.Conn, loop.Event) bool { return false }

func callHijacker(logger *slog.Logger, fn func(net.Conn, []byte, error), conn net.Conn, buffered []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			if conn != nil {
				_ = conn.Close()
			}
			logger.Error("http1: hijacking function panicked", "panic", fmt.Sprintf("%+v", v), "stack", string(debug.Stack()))
		}
	}()
	fn(conn, buffered, err)
}
