package http1

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"

	"github.com/eddynet/eddy/loop"
)

// Hijack takes the connection off the loop, as http.Hijacker has it. What was gathered
// goes out first, if the head is fixed. Of a body that was not read, the reader begins
// with what has come, decoded if it was chunked.
func (w *responseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	e := w.exchange
	switch {
	case w.hijacked:
		return nil, nil, http.ErrHijacked
	case w.answer == nil:
		return nil, nil, ErrAnswered
	}
	if w.stream != nil {
		_ = w.send() // an error is met again by the caller's writes
	}
	h := &hijacking{result: make(chan hijacked, 1)}
	left := false
	e.wait(func(x *session) { left = w.leave(x, h) })
	if !left {
		return nil, nil, ErrClientGone
	}
	r := <-h.result
	if r.err != nil {
		return nil, nil, r.err
	}
	w.hijacked = true
	w.deadline.stop()
	if e.body != nil {
		r.buffered = append(e.body.rest(), r.buffered...)
	}
	reader := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(r.buffered), r.conn), max(4<<10, len(r.buffered)))
	if len(r.buffered) > 0 {
		_, _ = reader.Peek(len(r.buffered)) // so that Buffered tells of it
	}
	return r.conn, bufio.NewReadWriter(reader, bufio.NewWriter(r.conn)), nil
}

// leave ends the exchange and sends the connection away. Loop only.
func (w *responseWriter) leave(x *session, h *hijacking) bool {
	switch {
	case x.out == streaming:
		x.stream.end(ErrStreamEnded)
	case x.out == deferred && x.deferred.claim():
		x.deferred.settled = true
		to := &x.response
		to.swap(w.answer)
		if w.wrote {
			x.persist = true // the head is not to announce a close
			out := x.conn.Out()
			out.B = append(to.appendHead(out.B), "\r\n"...)
			if to.body != nil {
				out.B = append(out.B, to.body.B...)
			}
		}
	default:
		return false
	}
	x.upgrade = h.Open
	x.sent()
	return true
}

// hijacking is the protocol of a connection that leaves its loop for a goroutine that
// waits for it.
type hijacking struct {
	result chan hijacked // room for one
}

type hijacked struct {
	conn     net.Conn
	buffered []byte
	err      error
}

func (h *hijacking) Open(c *loop.Conn) loop.Handler {
	c.PauseRead()
	// After the callback at hand, when it is clear what input is left.
	_ = c.Ref().DoUnbounded(func(c *loop.Conn) { // or OnClose is called
		conn, buffered, err := c.Detach()
		h.result <- hijacked{conn, buffered, err}
	})
	return h
}

func (h *hijacking) OnData(*loop.Conn, []byte) int { return 0 }

func (h *hijacking) OnEvent(c *loop.Conn, e loop.Event) bool {
	if e != loop.EventClosed {
		return false
	}
	err := c.Err()
	if err == nil {
		err = ErrClientGone
	}
	select {
	case h.result <- hijacked{err: err}:
	default:
	}
	return true
}
