package main

import (
	"bytes"
	"strconv"

	"github.com/eddynet/eddy/http1"
)

// sleep answers by a timer on the loop.
func sleep(w *http1.Response, r *http1.Request) {
	d := w.Defer()
	w.Loop().After(millis(r, "ms"), func() {
		_ = d.Respond(func(w *http1.Response) { text(w, "slept") }) // else the client is gone
	})
}

var xs = bytes.Repeat([]byte("x"), 32<<10)

// big sends as fast as the client reads, holding little.
func big(w *http1.Response, r *http1.Request) {
	left, err := strconv.ParseInt(param(r, "n"), 10, 64)
	if err != nil || left < 0 {
		fail(w, 400, "n must be a number of bytes")
		return
	}
	if param(r, "chunked") != "1" {
		w.SetLength(left)
	}
	header(w, "Content-Type", "application/octet-stream")
	s := w.Stream()
	pump := func() {
		for left > 0 && s.Room() {
			n, err := s.Write(xs[:min(left, int64(len(xs)))])
			if err != nil {
				return // the client is gone
			}
			left -= int64(n)
		}
		if left == 0 {
			left = -1
			_ = s.Finish() // an error says that the client is gone
		}
	}
	s.OnReady(pump)
	pump()
}
