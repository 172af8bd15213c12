package nethttp

import (
	"os"
	"sync/atomic"
	"time"
)

// deadline is the write deadline of an exchange: a write that begins after it fails, and
// one that waits for the client then is given up, with the connection. It belongs to the
// handler's goroutine; nil is none.
type deadline struct {
	at      time.Time
	timer   *time.Timer
	writing atomic.Bool // a write may wait for the client
}

func (d *deadline) passed() bool { return d != nil && !time.Now().Before(d.at) }

// mark says whether a write may wait for the client.
func (d *deadline) mark(writing bool) {
	if d != nil {
		d.writing.Store(writing)
	}
}

func (d *deadline) stop() {
	if d != nil {
		d.timer.Stop()
	}
}

// SetWriteDeadline has writes fail with os.ErrDeadlineExceeded from t on. A write has
// failed for good: a later deadline does not help. The zero time is no deadline.
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
		_ = w.exchange.loop.PostUnbounded(func() { // the end of the loop is that of the connection
			if s := w.stream; s != nil && d.writing.Load() && !s.Room() {
				s.Abort()
			}
		})
	})
	w.deadline = d
	return nil
}

// setDeadline bounds the time of reads. The zero time is no bound.
func (b *requestBody) setDeadline(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil {
		b.timer.Stop()
		b.timer = nil
	}
	b.late = b.err == os.ErrDeadlineExceeded
	if t.IsZero() || b.closed || b.late {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(time.Until(t), func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.timer == timer { // else there is another deadline by now
			b.late = true
			b.change.Broadcast()
		}
	})
	b.timer = timer
}
