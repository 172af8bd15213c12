package loop

import (
	"bytes"
	"net"
	"os"
	"sync"

	"github.com/eddynet/eddy/buffers"
)

// Detach takes the connection off its loop and returns it as a net.Conn with
// deadlines, for use on any goroutine, with the input that was not used. It is a
// *net.TCPConn or *net.UnixConn, or, while output is pending, one with CloseWrite that
// writes this before anything else; what it releases is released on the loop, as long
// as that runs. OnClose is called with ErrDetached. Call it outside OnData, which has
// not yet said what it uses, and on a paused connection.
func (c *Conn) Detach() (net.Conn, []byte, error) {
	if c.state != Open {
		return nil, nil, ErrClosed
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
	if err == nil && c.out != nil {
		c.out.ReleaseBy(c.loop.callAnyhow)
		conn = behind(conn, c.out)
		c.out = nil
	}
	c.closeNow(ErrDetached)
	return conn, input, err
}

// behind returns conn with writes that wait until the output in q is written.
func behind(conn net.Conn, q *buffers.Queue) net.Conn {
	d := &detachedConn{Conn: conn}
	d.first.Lock()
	go func() {
		defer d.first.Unlock()
		_, d.err = q.WriteTo(conn)
	}()
	return d
}

// detachedConn is a connection with output of its loop's time before it.
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
