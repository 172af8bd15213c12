package nethttp

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

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/http1"
)

// gatherLimit is how many bytes of a body a net/http handler may write before they are
// sent. An answer that ends within it gets its length, and leaves in one piece.
const gatherLimit = 16 << 10

// pieceSize is how many bytes of a large write go to the loop at once: their buffers are
// kept in a pool, and not many are on their way.
const pieceSize = 32 << 10

// ownedFrom is the size in bytes from which a write is sent without a copy: the handler
// waits until the kernel has taken it.
const ownedFrom = 64 << 10

// heads is the pool of *http1.Head.
var heads = sync.Pool{New: func() any { return new(http1.Head) }}

// responseWriter is the http.ResponseWriter of an exchange. It has the methods that
// net/http's has. It belongs to the handler's goroutine.
type responseWriter struct {
	exchange *exchange
	header   http.Header
	head     *http1.Head     // once it is fixed
	gathered *buffers.Buffer // of the body; nil for nothing
	stream   *http1.Stream   // once the head is sent, with more to follow. Set by the loop
	framing  framing
	written  int64 // by the handler
	wrote    bool  // the head is fixed
	returned bool  // the handler has: nothing can follow
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
	w.head = heads.Get().(*http1.Head)
}

// Header is the fields of the answer, until the first WriteHeader or Write; after
// that, only trailers have an effect.
func (w *responseWriter) Header() http.Header { return w.header }

// WriteHeader fixes the head. It is sent with the first bytes of the body that do not
// wait, but for a status of 1xx, which is sent at once, and may be followed by others.
func (w *responseWriter) WriteHeader(code int) {
	switch {
	case w.hijacked:
		w.logMisuse("http: response.WriteHeader on hijacked connection")
		return
	case w.wrote:
		w.logMisuse("http: superfluous response.WriteHeader call")
		return
	case w.returned:
		w.logMisuse("http: response.WriteHeader after the handler has returned")
		return
	case code < 100 || code > 999:
		panic(fmt.Sprintf("invalid WriteHeader code %v", code)) // as net/http does
	case code == http.StatusContinue:
		if body := w.exchange.body; body != nil {
			body.sendContinue()
		}
		return
	case code < 200 && code != http.StatusSwitchingProtocols:
		w.writeInterim(code)
		return
	}
	w.wrote = true
	w.head.Status = code
	w.readHeader()
}

// writeInterim sends an interim answer (RFC 9110 section 15.2).
func (w *responseWriter) writeInterim(code int) {
	head := &http1.Head{Status: code}
	for _, name := range sortedNames(nil, w.header) {
		addFields(head, name, w.header[name]) // but for those of the framing
	}
	_ = w.exchange.deferred.Do(func(r *http1.Response) { // the end of the loop is that of the answer
		if r != nil {
			_ = r.WriteInterim(head) // an error says that the final answer has begun
		}
	})
}

// Write appends to the body. It waits while the client does not keep up.
func (w *responseWriter) Write(p []byte) (int, error) {
	if len(p) < ownedFrom {
		return write(w, p)
	}
	if err := w.admit(len(p)); err != nil {
		return 0, err
	}
	if err := w.send(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteString is Write for a string.
func (w *responseWriter) WriteString(s string) (int, error) { return write(w, s) }

// write gathers p, and sends what is more than gatherLimit, in pieces.
func write[T []byte | string](w *responseWriter, p T) (int, error) {
	if err := w.admit(len(p)); err != nil || len(p) == 0 {
		return 0, err
	}
	for rest := p; ; {
		if w.gathered == nil {
			w.gathered = buffers.Get()
		}
		b := w.gathered
		n := min(len(rest), max(pieceSize-len(b.B), 0))
		b.B = append(b.B, rest[:n]...)
		if rest = rest[n:]; len(b.B) > gatherLimit {
			if err := w.send(nil); err != nil {
				return len(p) - len(rest) - n, err
			}
		}
		if len(rest) == 0 {
			return len(p), nil
		}
	}
}

// admit says whether n more bytes may be written.
func (w *responseWriter) admit(n int) error {
	switch {
	case w.hijacked:
		return http.ErrHijacked
	case w.returned:
		return http1.ErrAnswered
	case w.err != nil:
		return w.err
	}
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case n == 0:
		return nil
	case !bodyAllowed(w.head.Status):
		return http.ErrBodyNotAllowed
	}
	w.written += int64(n)
	if w.framing.length >= 0 && w.written > w.framing.length {
		return http.ErrContentLength
	}
	return nil
}

// Flush sends what was written so far, and the head, if it was not sent.
func (w *responseWriter) Flush() { _ = w.FlushError() } // the next Write returns it again

// FlushError is Flush with an error.
func (w *responseWriter) FlushError() error {
	if err := w.admit(0); err != nil {
		return err
	}
	return w.send(nil)
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
		ctx := &w.exchange.context
		context.AfterFunc(ctx.Context(), func() {
			if ctx.Cause() != context.Canceled {
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

// logMisuse logs a mistake of the handler, with its place in the program.
func (w *responseWriter) logMisuse(message string) {
	pc := make([]uintptr, 16)
	frames := runtime.CallersFrames(pc[:runtime.Callers(2, pc)])
	frame, more := frames.Next()
	for more && (strings.Contains(frame.Function, "/nethttp.") || strings.HasPrefix(frame.Function, "net/http.")) {
		frame, more = frames.Next()
	}
	if log := w.exchange.adapter.server.ErrorLog; log != nil {
		log.Printf("%s from %s (%s:%d)", message, frame.Function, path.Base(frame.File), frame.Line)
		return
	}
	w.exchange.loop.Logger().Warn(message, slog.String("by", frame.Function),
		slog.String("file", frame.File), slog.Int("line", frame.Line))
}
