package http1

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"
)

// gatherLimit is how many bytes of a body a net/http handler may write before they are
// sent. An answer that ends within it gets its length, and leaves in one piece.
const gatherLimit = copyLimit

// pieceSize is how many bytes of a large write go to the loop at once: their buffers are
// kept in a pool, and not many are on their way.
const pieceSize = 32 << 10

// ownedFrom is the size in bytes from which a write is sent without a copy: the handler
// waits until the kernel has taken it.
const ownedFrom = 64 << 10

// responseWriter is the http.ResponseWriter of an exchange. It offers what net/http's
// does, but CloseNotify, which contexts have replaced. It belongs to the handler's
// goroutine.
type responseWriter struct {
	exchange *exchange
	header   http.Header
	answer   *Response // what was gathered; nil when nothing can follow
	stream   *Stream   // once the head is sent, with more to follow
	layout   layout
	written  int64 // by the handler
	wrote    bool  // the head is fixed
	hijacked bool
	timer    *time.Timer // of the write deadline
}

var _ interface {
	http.ResponseWriter
	http.Flusher
	http.Hijacker
	FlushError() error
	WriteString(string) (int, error)
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
	EnableFullDuplex() error
} = (*responseWriter)(nil)

func (w *responseWriter) begin(e *exchange) {
	w.exchange = e
	w.header = http.Header{}
	w.answer = e.adapter.answers.Get().(*Response)
	w.answer.begin()
}

// Header is the fields of the answer, until the first WriteHeader or Write; after
// that, only trailers have an effect.
func (w *responseWriter) Header() http.Header { return w.header }

// WriteHeader fixes the head. It is sent with the first bytes of the body that do not
// wait, but for a status of 1xx, which is sent at once, and may be followed by others.
func (w *responseWriter) WriteHeader(code int) {
	switch {
	case w.hijacked || w.answer == nil:
		w.complain("http1: WriteHeader after Hijack, or after the handler has returned")
		return
	case w.wrote:
		w.complain("http1: superfluous WriteHeader")
		return
	case code < 100 || code > 999:
		panic(fmt.Sprintf("invalid WriteHeader code %v", code)) // as net/http does
	case code < 200 && code != http.StatusSwitchingProtocols:
		w.inform(code)
		return
	}
	w.wrote = true
	w.answer.status = code
	w.layout.read(w)
}

// inform sends an interim answer (RFC 9110 section 15.2), of which HTTP/1.0 knows
// none.
func (w *responseWriter) inform(code int) {
	if w.exchange.request.ProtoMinor == 0 {
		return
	}
	var head fieldList
	for _, name := range sortedNames(w.header) {
		if name != "Content-Length" && name != "Transfer-Encoding" {
			appendFields(&head, name, w.header[name])
		}
	}
	w.exchange.do(func(x *session) {
		switch {
		case x.out != deferred:
		case code == http.StatusContinue:
			x.proceed()
		default:
			out := x.conn.Out()
			out.B = append(out.B, statusLine(code)...)
			out.B = append(out.B, head.lines...)
			out.B = append(out.B, "\r\n"...)
		}
	})
}

// Write appends to the body. It waits while the client does not keep up.
func (w *responseWriter) Write(p []byte) (int, error) { return write(w, p) }

// WriteString is Write for a string.
func (w *responseWriter) WriteString(s string) (int, error) { return write(w, s) }

func write[T []byte | string](w *responseWriter, p T) (int, error) {
	if err := w.admit(len(p)); err != nil || len(p) == 0 {
		return 0, err
	}
	b := w.answer.buffer()
	if len(b.B)+len(p) <= gatherLimit {
		b.B = append(b.B, p...)
		return len(p), nil
	}
	if len(b.B) == 0 && w.stream == nil {
		w.layout.sniff(w.answer, []byte(p[:min(len(p), sniffLen)]))
	}
	if whole, ok := any(p).([]byte); ok && len(p) >= ownedFrom {
		if err := w.sendOwned(whole); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	if err := w.send(); err != nil {
		return 0, err
	}
	rest := p
	for len(rest) > gatherLimit {
		piece := rest[:min(len(rest), pieceSize)]
		if err := w.stream.Send([]byte(piece)); err != nil {
			return len(p) - len(rest), err
		}
		rest = rest[len(piece):]
	}
	b = w.answer.buffer()
	b.B = append(b.B, rest...)
	return len(p), nil
}

// admit says whether n more bytes may be written.
func (w *responseWriter) admit(n int) error {
	switch {
	case w.hijacked:
		return http.ErrHijacked
	case w.answer == nil:
		return ErrAnswered
	}
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case n == 0:
		return nil
	case !bodyAllowed(w.answer.status):
		return http.ErrBodyNotAllowed
	}
	w.written += int64(n)
	if w.layout.length >= 0 && w.written > w.layout.length {
		return http.ErrContentLength
	}
	return nil
}

// Flush sends what was written so far, and the head, if it was not sent.
func (w *responseWriter) Flush() { _ = w.FlushError() } // Write tells of it again

// FlushError is Flush with an error.
func (w *responseWriter) FlushError() error {
	if err := w.admit(0); err != nil {
		return err
	}
	return w.send()
}

// SetReadDeadline bounds the time of reads of the body, like net/http's.
func (w *responseWriter) SetReadDeadline(t time.Time) error {
	if w.exchange.body != nil {
		w.exchange.body.setDeadline(t)
	}
	return nil
}

// SetWriteDeadline has the connection aborted if the handler has not returned by then.
func (w *responseWriter) SetWriteDeadline(t time.Time) error {
	w.stopTimer()
	if !t.IsZero() {
		e := w.exchange
		w.timer = time.AfterFunc(time.Until(t), func() {
			e.do(func(x *session) { x.conn.Abort(os.ErrDeadlineExceeded) })
		})
	}
	return nil
}

func (w *responseWriter) stopTimer() {
	if w.timer != nil {
		w.timer.Stop()
	}
}

// EnableFullDuplex does nothing: body and answer always may overlap here.
func (w *responseWriter) EnableFullDuplex() error { return nil }

// complain logs a mistake of the handler's, with the place of it.
func (w *responseWriter) complain(message string) {
	pc := make([]uintptr, 16)
	frames := runtime.CallersFrames(pc[:runtime.Callers(2, pc)])
	for {
		frame, more := frames.Next()
		if !more || !strings.Contains(frame.Function, "/http1.") && !strings.HasPrefix(frame.Function, "net/http.") {
			w.exchange.loop.Logger().Warn(message, slog.String("by", frame.Function),
				slog.String("file", frame.File), slog.Int("line", frame.Line))
			return
		}
	}
}
