package http1

import (
	"os"
	"sync/atomic"
	"time"
)

// deadline is the write deadline of an exchange: a write that begins after it fails, and
// one that waits for the client then is given up, with the connection. It belongs to the
// handler's goroutine.
type deadline struct {
	at      time.Time // zero for none
	timer   *time.Timer
	writing atomic.Bool // a write may wait for the client
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }
func (d *deadline) begin()       { d.writing.Store(true) }
func (d *deadline) done()        { d.writing.Store(false) }

func (d *deadline) stop() {
	if d.timer != nil {
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
	w.deadline.at = t
	if t.IsZero() {
		return nil
	}
	e := w.exchange
	w.deadline.timer = time.AfterFunc(time.Until(t), func() {
		e.do(func(x *session) {
			if w.deadline.writing.Load() && x.out == streaming && !x.stream.Room() {
				x.conn.Abort(os.ErrDeadlineExceeded)
			}
		})
	})
	return nil
}
