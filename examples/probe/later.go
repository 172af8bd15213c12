package main

import (
	"bytes"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/eddynet/eddy/http1"
)

// pool runs /block.
var pool = http1.NewPool(2048, 8192)

// gone counts the clients that closed before their response was complete.
var gone atomic.Int64

// sleep answers after a timer on the loop.
func sleep(w *http1.Response, r *http1.Request) {
	d := w.Defer()
	watch(d)
	w.Loop().After(millis(r, "ms"), func() {
		_ = d.Respond(func(w *http1.Response) { text(w, "slept") }) // fails if the client has closed
	})
}

// later answers from another goroutine, with the value of tag if present.
func later(w *http1.Response, r *http1.Request) {
	d := w.Defer()
	watch(d)
	answer := "deferred"
	if tag := param(r, "tag"); tag != "" {
		answer = tag
	}
	time.AfterFunc(millis(r, "ms"), func() {
		_ = d.Respond(func(w *http1.Response) { text(w, answer) }) // fails if the client has closed
	})
}

var block = http1.Blocking(func(w *http1.Response, r *http1.Request) {
	time.Sleep(millis(r, "ms"))
	text(w, "blocked")
}, pool)

// watch counts the client if it closes.
func watch(d *http1.Deferred) { d.OnGone(func(error) { gone.Add(1) }) }

// stream sends three pieces with gaps between them.
func stream(w *http1.Response, r *http1.Request) {
	gap := millis(r, "gap")
	header(w, "Content-Type", "text/plain")
	loop, s := w.Loop(), w.Stream()
	s.OnGone(func(error) { gone.Add(1) })
	pieces := []string{"START", "MIDDLE", "END"}
	var next func()
	next = func() {
		if _, err := s.Write([]byte(pieces[0])); err != nil {
			return // the client has closed
		}
		if pieces = pieces[1:]; len(pieces) == 0 {
			_ = s.Finish() // fails if the client has closed
			return
		}
		loop.After(gap, next)
	}
	next()
}

// sse sends an event every 100 ms, until the client closes.
func sse(w *http1.Response, _ *http1.Request) {
	header(w, "Content-Type", "text/event-stream")
	header(w, "Cache-Control", "no-store")
	loop, s := w.Loop(), w.Stream()
	left := false
	s.OnGone(func(error) { left = true; gone.Add(1) })
	n := 0
	var next func()
	next = func() {
		if left {
			return
		}
		if s.Room() { // a slow client misses events
			if _, err := s.Write([]byte("data: " + strconv.Itoa(n) + "\n\n")); err != nil {
				return
			}
		}
		n++
		loop.After(100*time.Millisecond, next)
	}
	next()
}

func countGone(w *http1.Response, _ *http1.Request) { answerJSON(w, gone.Load()) }

var xs = bytes.Repeat([]byte("x"), 32<<10)

// big sends as fast as the client reads, with bounded memory.
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
				return // the client has closed
			}
			left -= int64(n)
		}
		if left == 0 {
			left = -1
			_ = s.Finish() // fails if the client has closed
		}
	}
	s.OnReady(pump)
	pump()
}
