package eddytls

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/loop"
)

var (
	errTimeout = errors.New("eddytls: the handshake was not done within Options.HandshakeTimeout")
	errPanic   = errors.New("eddytls: a callback of the tls.Config has panicked")
)

// handshake is a connection until its handshake is done: the loop.Handler, and the two ends of
// a pipe, of which one is the loop's and the other one the handshake's goroutine's.
//
// The loop gathers a ClientHello and starts the goroutine. From then on the connection is
// read only while the goroutine waits for input, so that input for the protocol, and its
// end, stay in the kernel.
type handshake struct {
	endpoint      *Endpoint
	layer         *layer
	hello         hello     // before started
	started       bool      // the goroutine runs, or waits for that
	began         time.Time // when it was started
	remote, local net.Addr  // for callbacks
	logger        *slog.Logger
	ctx           context.Context // of callbacks
	cancel        context.CancelFunc

	mu    sync.Mutex
	input sync.Cond // there is input, or err
	in    []byte    // guarded by mu: for the goroutine
	err   error     // guarded by mu: after in
	out   []byte    // guarded by mu: from the goroutine
}

var _ loop.Handler = (*handshake)(nil)

func newHandshake(e *Endpoint, c *loop.Conn) *handshake {
	h := &handshake{endpoint: e, logger: c.Loop().Logger()}
	h.input.L = &h.mu
	return h
}

// start has the goroutine begin. Loop only.
func (h *handshake) start(c *loop.Conn) {
	h.started, h.began = true, time.Now()
	h.remote, h.local = c.RemoteAddr(), c.LocalAddr()
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.in, h.hello = h.hello.in, hello{}
	if l := h.layer; h.endpoint.client {
		l.tls = tls.Client((*wire)(l), h.endpoint.config)
	} else {
		l.tls = tls.Server((*wire)(l), h.endpoint.config)
	}
	c.PauseRead()
	h.endpoint.admissions.admit(h)
}

// receive reads input of the handshake into p first. Loop only.
func (h *handshake) receive(c *loop.Conn, p []byte) error {
	n, err := h.layer.Transport.Read(p)
	if err != nil {
		if err == io.EOF {
			h.close(io.EOF)
		}
		return err
	}
	if h.started {
		h.mu.Lock()
		h.in = append(h.in, p[:n]...)
		h.mu.Unlock()
		h.input.Signal()
		c.PauseRead()
		return unix.EAGAIN
	}
	h.hello.in = append(h.hello.in, p[:n]...)
	switch {
	case h.hello.isHTTP():
		h.refusePlainHTTP()
	case h.hello.complete():
		h.start(c)
	}
	return unix.EAGAIN
}

var errPlainHTTP = errors.New("eddytls: the client has sent plain HTTP")

func (h *handshake) refusePlainHTTP() {
	h.started = true // and over
	h.endpoint.admissions.failed(plainHTTP)
	l := h.layer
	l.handshake = nil
	l.append([]byte(plainHTTPAnswer))
	l.fail(errPlainHTTP)
}

// OnData is never called with input: the layer has it.
func (h *handshake) OnData(*loop.Conn, []byte) (used int) { return 0 }

// OnEvent handles the end of the connection before that of the handshake.
func (h *handshake) OnEvent(c *loop.Conn, e loop.Event) (handled bool) {
	switch e {
	case loop.EventEOF:
		return h.started // the goroutine fails
	case loop.EventShutdown:
		if !h.started && len(h.hello.in) == 0 {
			c.SetTimeout(min(c.Settings().DrainGrace, h.endpoint.options.HandshakeTimeout))
		}
		return true
	case loop.EventTimeout:
		if c.Loop().Draining() && !h.started && len(h.hello.in) == 0 {
			c.CloseIdle()
			return true
		}
		h.close(errTimeout)
	case loop.EventClosed:
		h.close(net.ErrClosed)
		if !h.started && (len(h.hello.in) > 0 || h.err == errTimeout) {
			h.endpoint.admissions.failed(classify(h.err))
		}
	}
	return false
}

// close ends the goroutine's input, once. Any goroutine.
func (h *handshake) close(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		return
	}
	h.err = err
	h.input.Signal()
	if h.cancel != nil && err != io.EOF {
		h.cancel()
	}
}

// run is the goroutine of a handshake.
func (h *handshake) run() {
	a := &h.endpoint.admissions
	err := errPanic // also of runtime.Goexit in a callback
	defer func() {
		if v := recover(); v != nil {
			h.logger.Error("eddytls: callback panicked", "panic", fmt.Sprintf("%+v", v), "stack", string(debug.Stack()))
		}
		a.release()
		h.cancel()
		resumed := err == nil && h.layer.tls.ConnectionState().DidResume
		a.ended(time.Since(h.began), resumed, classify(err))
		// A connection that is closed has been told.
		_ = h.layer.ref.DoUnbounded(func(c *loop.Conn) { h.done(c, err) })
	}()
	a.acquire()
	err = h.layer.tls.HandshakeContext(h.ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil && h.err != nil && h.err != io.EOF {
		err = h.err // the cause
	}
}

// done hands the connection to its protocol, or closes it after the alert. Loop only.
func (h *handshake) done(c *loop.Conn, err error) {
	l := h.layer
	h.sendFlight()
	l.handshake = nil
	if err != nil {
		var record tls.RecordHeaderError
		if errors.As(err, &record) && record.Conn != nil {
			l.append(unexpectedMessage) // crypto/tls has sent none
		}
		h.logger.Debug("eddytls: handshake failed", "remote", h.remote, "error", err)
		l.fail(err)
		return
	}
	l.input, h.in = bytes.Clone(h.in), nil
	l.more = true // crypto/tls may have read more than the handshake
	c.SetProtocol(h.endpoint.chosen(l.tls.ConnectionState().NegotiatedProtocol))
}

// unexpectedMessage is an alert (RFC 8446 section 5) for a peer that does not speak TLS.
var unexpectedMessage = []byte{21, 3, 1, 0, 2, 2, 10}

// sendFlight passes the goroutine's output on. Loop only.
func (h *handshake) sendFlight() {
	h.mu.Lock()
	out := h.out
	h.out = nil
	h.mu.Unlock()
	if len(out) > 0 {
		h.layer.append(out)
	}
}

// read and write are the goroutine's, as those of a net.Conn. Input is waited for without
// a turn to compute.
func (h *handshake) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.in) == 0 && h.err == nil {
		h.wait()
	}
	if h.err != nil && (len(h.in) == 0 || h.err != io.EOF) {
		return 0, h.err
	}
	n := copy(p, h.in)
	h.in = h.in[n:]
	return n, nil
}

// wait is called with the lock.
func (h *handshake) wait() {
	h.mu.Unlock()
	h.endpoint.admissions.release()
	// A connection that is closed has called close.
	_ = h.layer.ref.DoUnbounded(func(c *loop.Conn) {
		h.sendFlight()
		c.ResumeRead()
	})
	h.mu.Lock()
	for len(h.in) == 0 && h.err == nil {
		h.input.Wait()
	}
	h.mu.Unlock()
	h.endpoint.admissions.acquire()
	h.mu.Lock()
}

func (h *handshake) write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.out = append(h.out, p...)
	return len(p), nil
}
