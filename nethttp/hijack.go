package nethttp

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"

	"github.com/eddynet/eddy/http1"
)

// hijacked is a connection that has left its loop, with the input after the request.
type hijacked struct {
	conn     net.Conn
	buffered []byte
	err      error
}

// Hijack takes the connection off the loop, as http.Hijacker has it. The head goes out
// first, if it is fixed, with what was gathered. Of a body that was not read, the reader
// begins with what has come, decoded if it was chunked.
func (w *responseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	switch {
	case w.hijacked:
		return nil, nil, http.ErrHijacked
	case w.returned:
		return nil, nil, http1.ErrAnswered
	}
	if w.wrote {
		_ = w.send(nil) // an error is met again by the caller's writes
	}
	result := make(chan hijacked, 1)
	err := w.exchange.deferred.Do(func(r *http1.Response) {
		if r == nil {
			result <- hijacked{err: http1.ErrClientGone}
			return
		}
		r.Hijack(func(conn net.Conn, buffered []byte, err error) { result <- hijacked{conn, buffered, err} })
	})
	if err != nil {
		return nil, nil, err
	}
	h := <-result
	if h.err != nil {
		return nil, nil, h.err
	}
	w.hijacked = true
	w.deadline.stop()
	if body := w.exchange.body; body != nil {
		h.buffered = append(body.rest(), h.buffered...)
	}
	reader := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(h.buffered), h.conn), max(4<<10, len(h.buffered)))
	if len(h.buffered) > 0 {
		_, _ = reader.Peek(len(h.buffered)) // so that Buffered has them
	}
	return h.conn, bufio.NewReadWriter(reader, bufio.NewWriter(h.conn)), nil
}
