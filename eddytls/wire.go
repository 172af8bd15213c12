package eddytls

import (
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// temporary is an error after which crypto/tls can go on reading. crypto/tls keeps all
// other errors. It asserts the type net.Error: a wrapped error would be final.
type temporary struct{ error }

func (*temporary) Timeout() bool   { return false }
func (*temporary) Temporary() bool { return true }

var _ net.Error = (*temporary)(nil)

// wouldBlock says that no input is left.
var wouldBlock = &temporary{unix.EAGAIN}

// wire is the layer as the net.Conn that crypto/tls reads from and writes to. It blocks
// during the handshake, on its goroutine, and after Detach.
type wire layer

var _ net.Conn = (*wire)(nil)

func (w *wire) Read(p []byte) (n int, err error) {
	n, err = w.read(p)
	w.records.passed(p[:n])
	return n, err
}

func (w *wire) read(p []byte) (n int, err error) {
	if w.handshake != nil {
		return w.handshake.read(p)
	}
	p = p[:min(len(p), w.records.limit())]
	if len(w.input) > 0 {
		n = copy(p, w.input)
		if w.input = w.input[n:]; len(w.input) == 0 {
			w.input = nil
		}
		return n, nil
	}
	if w.room <= 0 {
		return 0, wouldBlock
	}
	n, err = w.Transport.Read(p)
	if w.room -= n; n < len(p) {
		w.room = 0
	}
	switch err {
	case unix.EAGAIN:
		err = wouldBlock
	case unix.EINTR, unix.ENOBUFS, unix.ENOMEM:
		err = &temporary{err}
	case io.EOF:
		w.fin = true
	}
	return n, err
}

// Write never blocks: the output is passed on by the layer.
func (w *wire) Write(p []byte) (int, error) {
	if w.handshake != nil {
		return w.handshake.write(p)
	}
	(*layer)(w).append(p)
	return len(p), nil
}

// Close is called when the context of a handshake ends.
func (w *wire) Close() error {
	if h := w.handshake; h != nil {
		h.close(net.ErrClosed)
	}
	return nil
}

// LocalAddr and RemoteAddr are for callbacks, during the handshake.
func (w *wire) LocalAddr() net.Addr {
	if w.handshake != nil {
		return w.handshake.local
	}
	return nil
}

func (w *wire) RemoteAddr() net.Addr {
	if w.handshake != nil {
		return w.handshake.remote
	}
	return nil
}

// The deadlines are those of the loop, or of the net.Conn of Detach.
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
