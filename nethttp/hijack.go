package nethttp

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"

	"github.com/eddynet/eddy/http1"
)

// Hijack removes the connection from the loop, as described at http.Hijacker. If the head is
// fixed, it is sent first, with the buffered body. The reader begins with the unread part of
// the request body, decoded if it was chunked.
func (w *responseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	switch {
	case w.hijacked:
		return nil, nil, http.ErrHijacked
	case w.returned:
		return nil, nil, http1.ErrAnswered
	}
	if w.wrote {
		_ = w.send(nil) // the caller's writes have the error too
	}
	var conn net.Conn
	var buffered []byte
	err := http1.ErrClientGone
	detached := make(chan struct{})
	failed := w.exchange.deferred.Do(func(r *http1.Response) {
		if r == nil {
			close(detached)
			return
		}
		r.Hijack(func(c net.Conn, b []byte, e error) {
			conn, buffered, err = c, b, e
			close(detached)
		})
	})
	if failed == nil {
		<-detached
	}
	if err != nil {
		return nil, nil, err
	}
	w.deadline.stop(w.exchange.loop)
	w.hijacked = true
	if body := w.exchange.body; body != nil {
		buffered = append(body.unread(), buffered...)
	}
	reader := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(buffered), conn), max(4<<10, len(buffered)))
	if len(buffered) > 0 {
		_, _ = reader.Peek(len(buffered)) // so that Buffered counts them
	}
	return conn, bufio.NewReadWriter(reader, bufio.NewWriter(conn)), nil
}
