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
	"sync/atomic"
	"time"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/http1"
)

// bufferLimit is the number of buffered bytes of a body that are sent. A shorter response has
// a Content-Length, and is sent in one piece.
const bufferLimit = 16 << 10

// pieceSize is the size in bytes of the pieces of a large write. Their buffers are pooled, and
// only a few are in use at a time.
const pieceSize = 32 << 10

// ownedFrom is the size in bytes from which a write is sent without a copy: the handler waits
// until the kernel has accepted it.
const ownedFrom = 64 << 10

// heads is the pool of *http1.Head.
var heads = sync.Pool{New: func() any { return new(http1.Head) }}

// responseWriter is the http.ResponseWriter of an exchange, with the methods of net/http's. It
// belongs to the handler's goroutine.
type responseWriter struct {
	exchange *exchange
	header   http.Header
	head     *http1.Head     // complete when wrote is set
	buffered *buffers.Buffer // of the body; nil if empty
	stream   *http1.Stream   // nil until the head of a stream is sent. Set by the loop
	framing  framing
	written  int64 // by the handler
	wrote    bool  // the head is fixed
	returned bool  // the handler has returned
	hijacked bool
	duplex   bool        // EnableFullDuplex was called
	err      error       // of a write: every later one returns it
	deadline deadline    // of writes
	writing  atomic.Bool // a write may be waiting for the client
	gone     chan bool   // of CloseNotify
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

// Header is the fields of the response. After the first WriteHeader or Write only trailers
// have an effect.
func (w *responseWriter) Header() http.Header { return w.header }

// WriteHeader fixes the head, which is sent with the first bytes of the body. An interim
// response (1xx) is sent at once, and other responses may follow.
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
		panic(fmt.Sprintf("invalid WriteHeader code %v", code)) // as in net/http
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

func (w *responseWriter) writeInterim(code int) {
	head := &http1.Head{Status: code}
	addFields(head, w.header, nil) // except those of the framing
	w.exchange.do(func(r *http1.Response) {
		_ = r.WriteInterim(head) // an error: the final response has begun
	})
}

// Write appends to the body. It blocks while the client reads too slowly.
func (w *responseWriter) Write(p []byte) (int, error) {
	if len(p) < ownedFrom {
		return write(w, p)
	}
	if err := w.checkWrite(len(p)); err != nil {
		return 0, err
	}
	if err := w.send(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteString is Write for a string.
func (w *responseWriter) WriteString(s string) (int, error) { return write(w, s) }

// write buffers p, and sends more than bufferLimit in pieces.
func write[T []byte | string](w *responseWriter, p T) (int, error) {
	if err := w.checkWrite(len(p)); err != nil || len(p) == 0 {
		return 0, err
	}
	for rest := p; ; {
		if w.buffered == nil {
			w.buffered = buffers.Get()
		}
		b := w.buffered
		n := min(len(rest), max(pieceSize-len(b.B), 0))
		b.B = append(b.B, rest[:n]...)
		if rest = rest[n:]; len(b.B) > bufferLimit {
			if err := w.send(nil); err != nil {
				return len(p) - len(rest) - n, err
			}
		}
		if len(rest) == 0 {
			return len(p), nil
		}
	}
}

// checkWrite checks that n more bytes may be written, and fixes the head.
func (w *responseWriter) checkWrite(n int) error {
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

// Flush sends the head and the body written so far.
func (w *responseWriter) Flush() { _ = w.FlushError() } // the next Write returns the error too

// FlushError is Flush with an error.
func (w *responseWriter) FlushError() error {
	if err := w.checkWrite(0); err != nil {
		return err
	}
	return w.send(nil)
}

// EnableFullDuplex says that the handler reads the complete body after the beginning of its
// response. It may do so without the call too, but then the connection ends with the
// response if the rest of the body may be long.
func (w *responseWriter) EnableFullDuplex() error {
	w.duplex = true
	return nil
}

// CloseNotify returns a channel that receives a value when the client has gone, unless the
// handler returns first: see the deprecated http.CloseNotifier.
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

// ReadFrom writes src up to its end, for io.Copy.
func (w *responseWriter) ReadFrom(src io.Reader) (int64, error) {
	buf := copyBuffers.Get().(*[pieceSize]byte)
	defer copyBuffers.Put(buf)
	return io.CopyBuffer(struct{ io.Writer }{w}, src, buf[:])
}

// logMisuse logs an error of the handler, with its position in the source.
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
