package nethttp

import (
	"os"
	"sync/atomic"
	"time"
)

// deadline is the write deadline of an exchange. A later write fails; a write that waits for
// the client at the deadline ends the connection. It belongs to the handler's goroutine. nil
// is no deadline.
type deadline struct {
	at      time.Time
	timer   *time.Timer
	writing atomic.Bool // a write may be waiting for the client
}

func (d *deadline) passed() bool { return d != nil && !time.Now().Before(d.at) }

// setWriting notes whether a write may be waiting for the client.
func (d *deadline) setWriting(writing bool) {
	if d != nil {
		d.writing.Store(writing)
	}
}

func (d *deadline) stop() {
	if d != nil {
		d.timer.Stop()
	}
}

// SetWriteDeadline makes writes after t fail with os.ErrDeadlineExceeded. Once a write has
// failed, all later ones fail. The zero time is no deadline.
func (w *responseWriter) SetWriteDeadline(t time.Time) error {
	if w.hijacked {
		return nil
	}
	w.deadline.stop()
	w.deadline = nil
	if t.IsZero() {
		return nil
	}
	d := &deadline{at: t}
	d.timer = time.AfterFunc(time.Until(t), func() {
		_ = w.exchange.loop.PostUnbounded(func() { // an error: the loop and the connection have ended
			if s := w.stream; s != nil && d.writing.Load() && !s.Room() {
				s.Abort()
			}
		})
	})
	w.deadline = d
	return nil
}

// setDeadline sets the read deadline. The zero time is no deadline.
func (b *requestBody) setDeadline(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	b.timedOut = b.err == os.ErrDeadlineExceeded
	if t.IsZero() || b.closed || b.timedOut {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(time.Until(t), func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.timer == timer { // else the deadline was changed
			b.timedOut = true
			b.change.Broadcast()
		}
	})
	b.timer = timer
}
