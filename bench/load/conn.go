//go:build linux

package main

import (
	"errors"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// role is the behaviour of a connection.
type role int

const (
	worker role = iota // sends requests repeatedly
	holder             // sends one request and stays idle
	sipper             // reads slowly
)

// conn is a connection, and its successors with -per-connection.
type conn struct {
	role     role
	fd       int
	open     bool   // connected
	writing  bool   // EPOLLOUT is set
	out      []byte // not sent yet
	answers  reader
	awaiting int       // responses not received yet
	rare     bool      // the request in flight is a rare one
	left     int       // requests before the connection ends, if there is a limit
	start    time.Time // when the request was sent, or its intended time
}

// connect begins to connect. The request in k.out is sent afterwards.
func (c *client) connect(k *conn) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	k.fd, k.open, k.writing, k.left = fd, false, true, c.perConnection
	k.answers = c.newReader()
	if k.role == sipper { // otherwise the kernel buffers everything
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 16<<10); err != nil {
			return err
		}
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	for fd >= len(c.conns) {
		c.conns = append(c.conns, nil)
	}
	c.conns[fd] = k
	if err := unix.Connect(fd, c.server); err != nil && err != unix.EINPROGRESS {
		return err
	}
	return c.watch(unix.EPOLL_CTL_ADD, k)
}

// watch updates the interest of k.
func (c *client) watch(op int, k *conn) error {
	event := unix.EpollEvent{Fd: int32(k.fd)}
	if k.open && k.role != sipper {
		event.Events |= unix.EPOLLIN
	}
	if k.writing {
		event.Events |= unix.EPOLLOUT
	}
	return unix.EpollCtl(c.poller, op, k.fd, &event)
}

// rareEvery is the interval of rare requests.
const rareEvery = 100

// ask sends a request, whose latency counts from start.
func (c *client) ask(k *conn, start time.Time) {
	k.start, k.awaiting, k.out = start, c.pipeline, c.send.usual
	if c.send.rare != nil {
		c.asked++
		if k.rare = c.asked%rareEvery == 0; k.rare {
			k.out = c.send.rare
		}
	}
	if c.perConnection > 0 {
		if k.left == 0 {
			c.close(k)
			if err := c.connect(k); err != nil {
				c.lose(k, &c.errors.Connect, err)
				return
			}
		}
		if k.left--; k.left == 0 {
			k.out = c.send.last
		}
	}
	if k.open {
		c.write(k)
	}
}

// write sends k.out, as far as the kernel accepts it.
func (c *client) write(k *conn) {
	n, err := unix.Write(k.fd, k.out)
	if err != nil && err != unix.EAGAIN && err != unix.EINTR {
		c.lose(k, &c.errors.Write, err)
		return
	}
	k.out = k.out[max(n, 0):]
	if pending := len(k.out) > 0; pending != k.writing {
		k.writing = pending
		if err := c.watch(unix.EPOLL_CTL_MOD, k); err != nil {
			c.lose(k, &c.errors.Write, err)
		}
	}
}

// ready handles an event of the poller.
func (c *client) ready(k *conn, events uint32) {
	if !k.open {
		if code, err := unix.GetsockoptInt(k.fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || code != 0 {
			c.lose(k, &c.errors.Connect, errors.Join(err, unix.Errno(code)))
			return
		}
		k.open = true
		c.write(k) // updates the interest too
		return
	}
	if events&unix.EPOLLOUT != 0 {
		c.write(k)
	}
	if events&^unix.EPOLLOUT != 0 && k.fd >= 0 {
		c.receive(k)
	}
}

func (c *client) receive(k *conn) {
	n, err := unix.Read(k.fd, c.input)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return
	case err != nil:
		c.lose(k, &c.errors.Read, err)
		return
	case n == 0:
		c.lose(k, &c.errors.Read, io.ErrUnexpectedEOF)
		return
	}
	c.bytes += int64(n)
	answers, err := k.answers.read(c.input[:n])
	if err == nil && answers > k.awaiting {
		err = errStatus
	}
	if err != nil {
		c.lose(k, &c.errors.Status, err)
		return
	}
	if answers == 0 {
		return
	}
	now := time.Now()
	c.record(k, now, answers)
	if k.awaiting -= answers; k.awaiting == 0 {
		c.answered(k, now)
	}
}

// lose closes a connection after an error. It is not replaced: a run with errors is
// void.
func (c *client) lose(k *conn, count *int64, cause error) {
	*count++
	if c.cause == nil {
		c.cause = cause
	}
	c.close(k)
	k.awaiting = 0
	c.lost++
}

func (c *client) close(k *conn) {
	if k.fd >= 0 {
		c.conns[k.fd] = nil
		unix.Close(k.fd) // cannot fail on a socket without SO_LINGER
	}
	k.fd = -1
}
