package nethttp

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/eddynet/eddy/loop"
)

// deadline is the read or the write deadline of an exchange, on the loop's clock.
type deadline struct {
	at    atomic.Int64 // 0 for none
	timer *loop.Timer  // loop only
}

func (d *deadline) passed(l *loop.Loop) bool {
	at := d.at.Load()
	return at != 0 && at <= l.Clock()
}

// set has the loop call expired at t. The zero time is no deadline. Any goroutine.
func (d *deadline) set(l *loop.Loop, t time.Time, expired func()) {
	at := int64(0)
	if !t.IsZero() {
		at = max(l.Clock()+min(int64(time.Until(t)), math.MaxInt64/2), 1)
	}
	d.at.Store(at)
	_ = l.PostUnbounded(func() { // an error: the loop and the connection have ended
		if d.timer != nil {
			d.timer.Stop()
		}
		at := d.at.Load()
		if at == 0 {
			return
		}
		d.timer = l.After(time.Duration(at-l.Clock()), func() {
			if d.passed(l) {
				expired()
			}
		})
	})
}

func (d *deadline) stop(l *loop.Loop) {
	if d.at.Load() != 0 {
		d.set(l, time.Time{}, nil)
	}
}

// SetWriteDeadline makes writes after t fail with os.ErrDeadlineExceeded. One that waits for the
// client at t ends the connection. Once a write has failed, all later ones fail. The zero time is
// no deadline.
func (w *responseWriter) SetWriteDeadline(t time.Time) error {
	if w.hijacked {
		return nil
	}
	w.deadline.set(w.exchange.loop, t, func() {
		if s := w.stream; s != nil && w.writing.Load() && !s.Room() {
			s.Abort()
		}
	})
	return nil
}

// SetReadDeadline sets the deadline for reading the body, as in net/http.
func (w *responseWriter) SetReadDeadline(t time.Time) error {
	if w.exchange.body != nil {
		w.exchange.body.setDeadline(t)
	}
	return nil
}

func (b *requestBody) setDeadline(t time.Time) {
	b.deadline.set(b.exchange.loop, t, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.change.Broadcast()
	})
}
