package loop

import (
	"bytes"
	"net"
	"os"
	"sync"

	"github.com/eddynet/eddy/internal/outbox"
)

// Detach takes the connection off its loop and returns it as a net.Conn with
// deadlines, for use on any goroutine, with the input that was not used. It is a
// *net.TCPConn or *net.UnixConn, or, while output is pending, one with CloseWrite that
// writes this before anything else; release functions are called on the loop, as long as
// that runs. Over layers it reads and writes through them. EventClosed follows, with
// ErrDetached. Call it outside OnData, which has not yet said how much it uses, and on a
// paused connection. A connection without a socket has nothing to detach: an error.
func (c *Conn) Detach() (net.Conn, []byte, error) {
	switch {
	case c.state != open:
		return nil, nil, ErrClosed
	case c.fd < 0:
		return nil, nil, errNoSocket
	}
	if !c.is(unwatched) {
		if err := c.loop.poller.Delete(int(c.fd)); err != nil {
			return nil, nil, err
		}
	}
	file := os.NewFile(uintptr(c.fd), "eddy")
	conn, err := net.FileConn(file) // a duplicate, registered with Go's own poller
	_ = file.Close()                // the loop's descriptor
	c.flags |= detached
	var input []byte
	if c.in != nil {
		input = bytes.Clone(c.in.B)
	}
	c.noteBacklog(0)
	if err == nil && c.layered() {
		c.extra.socket.detached = conn
		conn = &layeredConn{Conn: conn, top: c.extra.top}
		c.extra.top = nil // the layers are not the loop's any more
	}
	if err == nil && c.out != nil {
		c.out.ReleaseBy(c.loop.callAnyhow)
		conn = writesAfter(conn, c.out)
		c.out = nil
	}
	c.closeNow(ErrDetached)
	return conn, input, err
}

// writesAfter returns conn with writes that wait until the output in q is written.
func writesAfter(conn net.Conn, q *outbox.Queue) net.Conn {
	d := &detachedConn{Conn: conn}
	d.first.Lock()
	go func() {
		defer d.first.Unlock()
		_, d.err = q.WriteTo(conn)
	}()
	return d
}

// detachedConn is a connection whose output begins with that of its loop.
type detachedConn struct {
	net.Conn
	first sync.Mutex
	err   error // guarded by first: of that output
}

// written waits for that output.
func (d *detachedConn) written() error {
	d.first.Lock()
	defer d.first.Unlock()
	return d.err
}

func (d *detachedConn) Write(p []byte) (int, error) {
	if err := d.written(); err != nil {
		return 0, err
	}
	return d.Conn.Write(p)
}

// CloseWrite is that of the TCP or Unix connection.
func (d *detachedConn) CloseWrite() error {
	if err := d.written(); err != nil {
		return err
	}
	return d.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

// layeredConn is a detached connection that reads and writes through its layers.
type layeredConn struct {
	net.Conn
	top Transport

	mu sync.Mutex // of writing
}

func (d *layeredConn) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if n, err = d.top.Read(p); !notNow(err) {
			return n, err
		}
	}
}

func (d *layeredConn) Write(p []byte) (n int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	slices := [][]byte{p}
	for {
		if n == len(p) {
			slices = nil // what is held
		} else {
			slices[0] = p[n:]
		}
		m, err := d.top.Write(slices)
		n += m
		switch {
		case err != nil && !notNow(err):
			return n, err
		case err == nil && slices == nil:
			return n, nil
		}
	}
}

// CloseWrite ends the output, with the layers' own end.
func (d *layeredConn) CloseWrite() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		if err := d.top.CloseWrite(); !notNow(err) {
			return err
		}
	}
}

// Close closes the connection at once, like that of a TCP connection.
func (d *layeredConn) Close() error {
	d.top.Close(false)
	return nil
}

// callAnyhow runs fn on the loop, or here if that has ended. Any goroutine.
func (l *Loop) callAnyhow(fn func()) {
	if l.PostUnbounded(fn) == nil {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			_ = l.logPanic(v) // nobody to close
		}
	}()
	fn()
}
