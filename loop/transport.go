package loop

import (
	"io"
	"net"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
)

// Transport stands in place of the socket of a connection: a layer such as TLS, which has another
// Transport below it, or memory. A layer embeds the one below and overrides methods. The loop calls
// all methods, and none may block: syscall.EAGAIN means "not now". After Detach over layers, one
// goroutine may call Read while another one calls Write or CloseWrite; both may block, and Held is
// not called. After Close of the connection, input is discarded below all layers, unseen.
type Transport interface {
	// Read reads into p, which is not empty: bytes or an error, io.EOF at the end of the input.
	Read(p []byte) (n int, err error)
	// Write takes bytes from the beginning of the slices, as many as it can. A layer that changes
	// no byte returns the count of the transport below, even a short one. Any other one takes the
	// bytes, holds those that the transport below refuses, and reports them by Held. Held bytes are
	// passed on first: with no slices, nothing else is done, and without an error none are held.
	Write(slices [][]byte) (n int, err error)
	// Held reports whether Read may return input or an error although the transport below has none,
	// and how many bytes of output wait to be passed on. Otherwise a layer calls Conn.Wake.
	Held() (input bool, output int64)
	// CloseWrite ends the output, when nothing is held. After syscall.EAGAIN it is called again.
	CloseWrite() error
	// Close is the last call, whatever is held. With reset, the output must not look complete.
	Close(reset bool)
}

func (c *Conn) layered() bool { return c.extra != nil && c.extra.top != nil }

// held is how many bytes of output the layers hold.
func (c *Conn) held() (n int64) {
	if c.layered() {
		_, n = c.askLayers(c.extra.top)
	}
	return n
}

func (c *Conn) flushed() bool { return c.out == nil && c.held() == 0 }

// hasInput reports whether there is input that the poller does not know of.
func (c *Conn) hasInput() bool { return c.layered() && c.layersHaveInput() }

func (c *Conn) layersHaveInput() (input bool) {
	switch c.state {
	case open, closing:
		input, _ = c.askLayers(c.extra.top)
	case lingering: // see discard
		input, _ = c.askLayers(c.extra.bottom)
	}
	return input
}

func (c *Conn) askLayers(t Transport) (input bool, output int64) {
	defer c.recovered()
	return t.Held()
}

// pushback passes on input that was read before the layer above it was added.
type pushback struct {
	Transport
	prefix []byte
	next   *pushback // below the layer before; nil for none
}

func (b *pushback) Read(p []byte) (int, error) {
	if len(b.prefix) == 0 {
		return b.Transport.Read(p)
	}
	n := copy(p, b.prefix)
	if b.prefix = b.prefix[n:]; len(b.prefix) == 0 {
		b.prefix = nil
	}
	return n, nil
}

func (b *pushback) Held() (bool, int64) {
	input, output := b.Transport.Held()
	return input || len(b.prefix) > 0, output
}

// socketTransport is the lowest transport of a connection with layers.
type socketTransport struct {
	conn     *Conn
	eof      bool     // FIN was read
	full     bool     // the kernel has not taken all of the last write
	detached net.Conn // after Detach
}

func (s *socketTransport) Held() (input bool, output int64) { return false, 0 }

func (s *socketTransport) Read(p []byte) (n int, err error) {
	if s.detached != nil {
		return s.detached.Read(p)
	}
	n, err = readSocket(int(s.conn.fd), p)
	s.eof = s.eof || err == io.EOF
	return n, err
}

func (s *socketTransport) Write(slices [][]byte) (n int, err error) {
	if len(slices) == 0 {
		return 0, nil
	}
	if s.detached != nil {
		all := net.Buffers(slices)
		m, err := all.WriteTo(s.detached)
		return int(m), err
	}
	n, err = writeSocket(int(s.conn.fd), slices, false)
	s.full = err != nil || n < sizeOf(slices)
	return n, err
}

func (s *socketTransport) CloseWrite() error {
	if s.detached != nil {
		return s.detached.(interface{ CloseWrite() error }).CloseWrite()
	}
	return sockets.CloseWrite(int(s.conn.fd))
}

func (s *socketTransport) Close(reset bool) {
	if s.detached != nil {
		_ = s.detached.Close() // nothing is written that could fail
		return
	}
	closeSocket(int(s.conn.fd), reset)
}

func readSocket(fd int, p []byte) (int, error) {
	n, errno := sockets.Read(fd, p)
	switch {
	case errno != 0:
		return 0, errno
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// writeSocket writes slices in one system call. More says that others, or the FIN, follow at once.
func writeSocket(fd int, slices [][]byte, more bool) (n int, err error) {
	var errno unix.Errno
	if len(slices) == 1 {
		n, errno = sockets.Write(fd, slices[0], more)
	} else {
		n, errno = sockets.Writev(fd, slices[:min(len(slices), sockets.MaxSlices)])
	}
	if errno != 0 {
		return 0, errno
	}
	return n, nil
}

func closeSocket(fd int, reset bool) {
	if reset {
		_ = sockets.ResetOnClose(fd) // a failure leaves the default, an ordinary close
	}
	sockets.Close(fd)
}

func sizeOf(slices [][]byte) (n int) {
	for _, p := range slices {
		n += len(p)
	}
	return n
}

// read, write, closeWrite and closeTransport are those of the layers, or of the socket.

func (c *Conn) read(p []byte) (int, error) {
	if !c.layered() {
		return readSocket(int(c.fd), p)
	}
	defer c.recovered()
	return c.extra.top.Read(p)
}

func (c *Conn) write(slices [][]byte) (int, error) {
	if !c.layered() {
		return writeSocket(int(c.fd), slices, c.shows(mute)) // nothing more is written: shut follows
	}
	return c.extra.top.Write(slices)
}

func (c *Conn) closeWrite() error {
	if !c.layered() {
		return sockets.CloseWrite(int(c.fd))
	}
	defer c.recovered()
	return c.extra.top.CloseWrite()
}

func (c *Conn) closeTransport() {
	if !c.layered() {
		closeSocket(int(c.fd), c.is(resetOnClose))
		return
	}
	c.extra.top.Close(c.is(resetOnClose))
}

// notNow reports whether to wait for the next event, also to repeat an interrupted call.
func notNow(err error) bool {
	return err == unix.EAGAIN || err == unix.EINTR
}

// shortOfMemory reports whether the kernel is, for a moment.
func shortOfMemory(err error) bool {
	return err == unix.ENOBUFS || err == unix.ENOMEM
}

// returnInput gives unused input to the last layer.
func (c *Conn) returnInput(p []byte) {
	c.flags &^= layerAdded
	c.extra.pushback.prefix = append(c.extra.pushback.prefix, p...)
}
