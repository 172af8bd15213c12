package loop

import (
	"bytes"
	"net"
	"sync"

	"github.com/eddynet/eddy/internal/outbox"
	"github.com/eddynet/eddy/internal/sockets"
)

// Detach takes the connection off its loop and returns it as a net.Conn with deadlines, for any
// goroutine, and the unused input. It is a *net.TCPConn or *net.UnixConn, or, while output is
// pending, one with CloseWrite that writes this first; release functions are called on the loop, as
// long as that runs. Over layers it reads and writes through them. EventClosed follows, with
// ErrDetached. Call it on a paused connection, outside OnData, which has not yet said how much it
// uses. An error leaves the connection as it is: one without a socket has nothing to detach.
func (c *Conn) Detach() (net.Conn, []byte, error) {
	conn, err := c.duplicate()
	if err != nil {
		return nil, nil, err
	}
	sockets.Close(int(c.fd))
	c.fd = -1
	c.noteBacklog(0)
	d := &detachedConn{Conn: conn}
	switch {
	case c.layered():
		c.extra.socket.detached = conn
		d.top, c.extra.top = c.extra.top, nil // the layers are not the loop's any more
		conn = d
	case c.out != nil:
		d.top = &socketTransport{detached: conn}
		conn = d
	}
	if c.out != nil {
		c.out.ReleaseBy(c.loop.callAnyhow)
		d.writeFirst(c.out)
		c.out = nil
	}
	var input []byte
	if c.in != nil {
		input = bytes.Clone(c.in.B)
	}
	c.closeNow(ErrDetached)
	return conn, input, nil
}

// duplicate returns the socket as one of package net, and ends its registration.
func (c *Conn) duplicate() (net.Conn, error) {
	switch {
	case c.state != open:
		return nil, ErrClosed
	case c.fd < 0:
		return nil, errNoSocket
	}
	conn, err := sockets.NetConn(int(c.fd))
	if err == nil && !c.is(unwatched) {
		if err = c.loop.poller.Delete(int(c.fd)); err != nil {
			_ = conn.Close() // nothing was written that could fail
		}
	}
	return conn, err
}

// detachedConn has left its loop with layers or pending output. Its transport blocks.
type detachedConn struct {
	net.Conn
	top Transport

	mu  sync.Mutex // of writing
	err error      // guarded by mu: of the pending output
}

func (d *detachedConn) writeFirst(q *outbox.Queue) {
	d.mu.Lock()
	go func() {
		defer d.mu.Unlock()
		_, d.err = q.WriteTo(writer{d.top})
	}()
}

func (d *detachedConn) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if n, err = d.top.Read(p); !notNow(err) {
			return n, err
		}
	}
}

func (d *detachedConn) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return 0, d.err
	}
	return writer{d.top}.Write(p)
}

// CloseWrite ends the output, with the layers' own end.
func (d *detachedConn) CloseWrite() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.err == nil {
		if err := d.top.CloseWrite(); !notNow(err) {
			return err
		}
	}
	return d.err
}

// Close closes at once, as that of a TCP connection does.
func (d *detachedConn) Close() error {
	d.top.Close(false)
	return nil
}

// writer writes everything to a transport that blocks, and leaves nothing held.
type writer struct{ top Transport }

func (w writer) Write(p []byte) (n int, err error) {
	slices := [][]byte{p}
	for {
		if n == len(p) {
			slices = nil // now the bytes that the layers hold
		} else {
			slices[0] = p[n:]
		}
		m, err := w.top.Write(slices)
		n += m
		switch {
		case err != nil && !notNow(err):
			return n, err
		case err == nil && slices == nil:
			return n, nil
		}
	}
}

// callAnyhow runs fn on the loop, or here if that has ended. Any goroutine.
func (l *Loop) callAnyhow(fn func()) {
	if l.PostUnbounded(fn) != nil {
		guard(fn, l.logPanic)
	}
}
