package model

import (
	"errors"
	"io"
	"math"
	"net"
	"os"
	"time"
)

// client is the peer of a connection.
type client struct {
	conn   net.Conn
	life   *life
	reader reader
	sent   int64
	end    error // of reading: io.EOF is an orderly one
	shut   bool  // its output
	gone   bool  // it has closed, and does not know what came
	broken bool  // sending has failed: the system has told of a reset there, once
}

// half is a connection whose output can be shut: TCP and Unix ones.
type half interface{ CloseWrite() error }

// send writes what is taken within a moment: a peer that does not read must not hold
// up the test.
func (c *client) send(n int) {
	_ = c.conn.SetWriteDeadline(time.Now().Add(5 * time.Millisecond))
	for n > 0 {
		m, err := c.conn.Write(input(c.life.id, c.sent, min(n, 1+n/2))) // cut somewhere
		c.sent += int64(m)
		n -= m
		if err != nil {
			c.broken = c.broken || !errors.Is(err, os.ErrDeadlineExceeded)
			return
		}
	}
}

// read reads about n bytes, if they come within the time.
func (c *client) read(n int, within time.Duration) error {
	_ = c.conn.SetReadDeadline(time.Now().Add(within))
	for p := make([]byte, min(n, 64<<10)); n > 0 && c.end == nil; {
		m, err := c.conn.Read(p[:min(n, len(p))])
		n -= m
		if wrong := c.reader.take(p[:m]); wrong != nil {
			return wrong
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			c.end = err
		}
	}
	return nil
}

func (c *client) shutWrite() {
	if !c.shut {
		c.shut = true
		c.broken = c.conn.(half).CloseWrite() != nil || c.broken
	}
}

// reset closes with a reset where there is one.
func (c *client) reset() {
	if tcp, ok := c.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.close()
}

func (c *client) close() {
	c.gone = true
	_ = c.conn.Close()
}

// orderly says that the end that it has read says that this was all.
func (c *client) orderly() bool { return c.end == io.EOF && !c.broken }

// finish reads to the end, and closes.
func (c *client) finish() error {
	if c.gone {
		return nil
	}
	err := c.read(math.MaxInt, patience)
	if err == nil && c.end == nil {
		err = errors.New("the end does not come")
	}
	_ = c.conn.Close()
	if err == nil && c.orderly() && len(c.reader.rest) > 0 {
		if _, tcp := c.conn.(*net.TCPConn); tcp {
			err = errors.New("an orderly end in the middle of a record")
		}
	}
	return err
}
