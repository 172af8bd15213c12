package http1

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path"
	"runtime"
	"strings"
	"sync"
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

// responseWriter is the http.ResponseWriter of an exchange. It has the methods that
// net/http's has. It belongs to the handler's goroutine.
type responseWriter struct {
	exchange *exchange
	header   http.Header
	answer   *Response // what was gathered; nil when nothing can follow
	stream   *Stream   // once the head is sent, with more to follow
	layout   layout
	written  int64 // by the handler
	wrote    bool  // the head is fixed
	hijacked bool
	duplex   bool      // EnableFullDuplex was called
	err      error     // has broken the answer: every later write returns it
	deadline *deadline // of writes; nil without one
	gone     chan bool // of CloseNotify
}

var _ interface {
	http.ResponseWriter
	http.Flusher
	http.Hijacker
	io.ReaderFrom
	CloseNotify() <-chan bool
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
	case w.hijacked:
		w.complain("http: response.WriteHeader on hijacked connection")
		return
	case w.wrote:
		w.complain("http: superfluous response.WriteHeader call")
		return
	case w.answer == nil:
		w.complain("http: response.WriteHeader after the handler has returned")
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
		b = w.answer.buffer()
		b.B = append(b.B, piece...)
		if err := w.send(); err != nil {
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
	case w.err != nil:
		return w.err
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

// EnableFullDuplex says that the handler reads all of the body though it has begun to
// answer. Reading goes on without it too, but the connection ends with the answer then,
// if the end of the body had not come and may be far.
func (w *responseWriter) EnableFullDuplex() error {
	w.duplex = true
	return nil
}

// CloseNotify returns a channel that gets a value when the client has gone, as that of
// the deprecated http.CloseNotifier. It gets none when the handler returns first.
func (w *responseWriter) CloseNotify() <-chan bool {
	if w.gone == nil {
		gone := make(chan bool, 1)
		w.gone = gone
		lifetime := &w.exchange.deferred.lifetime
		context.AfterFunc(lifetime.context(), func() {
			if lifetime.ended() != context.Canceled {
				gone <- true
			}
		})
	}
	return w.gone
}

// copyBuffers are for ReadFrom.
var copyBuffers = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// ReadFrom writes src, up to its end, as io.Copy asks for.
func (w *responseWriter) ReadFrom(src io.Reader) (int64, error) {
	buf := copyBuffers.Get().(*[pieceSize]byte)
	defer copyBuffers.Put(buf)
	return io.CopyBuffer(struct{ io.Writer }{w}, src, buf[:])
}

// complain logs a mistake of the handler, with its place in the program.
func (w *responseWriter) complain(message string) {
	pc := make([]uintptr, 16)
	frames := runtime.CallersFrames(pc[:runtime.Callers(2, pc)])
	frame, more := frames.Next()
	for more && (strings.Contains(frame.Function, "/http1.") || strings.HasPrefix(frame.Function, "net/http.")) {
		frame, more = frames.Next()
	}
	if log := w.exchange.adapter.server.ErrorLog; log != nil {
		log.Printf("%s from %s (%s:%d)", message, frame.Function, path.Base(frame.File), frame.Line)
		return
	}
	w.exchange.loop.Logger().Warn(message, slog.String("by", frame.Function),
		slog.String("file", frame.File), slog.Int("line", frame.Line))
}
