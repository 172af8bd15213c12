package loop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/poller"
)

// Dial connects to an address, over which p is spoken, on this loop. The network is
// tcp, tcp4, tcp6 or unix. A name is looked up and its addresses are tried as by
// net.Dialer (RFC 8305), on a goroutine. done is called once, on the loop and not
// inside Dial: after p.OnOpen, or with an error. After timeout, the error is a
// net.Error whose Timeout method returns true; when the loop ends, it is
// ErrServerClosed. A Dial from the last callbacks of a loop is ignored. Loop only:
// elsewhere use Engine.Dial.
func (l *Loop) Dial(network, address string, p Protocol, timeout time.Duration, done func(c *Conn, err error)) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	d := &dialing{
		loop: l, network: network, address: address, cancel: cancel, done: done,
		service: &Service{loop: l, protocol: unbound{}, settings: l.settings, dialled: true},
	}
	d.token = l.table.add(d) // so that it ends with the loop
	l.call(func() { d.service.protocol = bind(p, l) })
	if !l.inbox.closed() { // else the loop is about to end it
		go d.connect(ctx)
	}
}

// dialing is a connection attempt. It is in the loop's table until done is called.
type dialing struct {
	loop             *Loop
	network, address string
	service          *Service
	token            poller.Token
	cancel           context.CancelFunc // ends connect
	done             func(*Conn, error)
}

// connect makes the connection, on its own goroutine.
func (d *dialing) connect(ctx context.Context) {
	fd, peer, err := -1, endpoint{}, error(errUnbound)
	if d.service.protocol != Protocol(unbound{}) {
		fd, peer, err = dialSocket(ctx, d.network, d.address)
	}
	if d.loop.post(task{run: func() { d.connected(fd, peer, err) }, must: true}) != nil && err == nil {
		closeFD(fd) // the loop has ended, and end was called
	}
}

func (d *dialing) connected(fd int, peer endpoint, err error) {
	switch {
	case err != nil:
		d.finish(nil, err)
	case d.finished():
		closeFD(fd)
	default:
		d.finish(d.loop.adopt(fd, peer, d.service))
	}
}

// ready is never called: the poller does not have the token.
func (d *dialing) ready(poller.Ready) {}

func (d *dialing) end(cause error) { d.finish(nil, cause) }

func (d *dialing) finished() bool { return d.loop.table.lookup(d.token) == nil }

// finish calls done, unless that has happened.
func (d *dialing) finish(c *Conn, err error) {
	if d.finished() {
		return
	}
	d.loop.table.remove(d.token)
	d.cancel()
	if err != nil {
		d.loop.count.DialErrors++
		err = d.describe(err)
	}
	d.loop.call(func() { d.done(c, err) })
	d.loop.returned(d)
	if c != nil {
		c.attend()
	}
}

// describe adds the address to an error, unless it comes from package net, which does
// so.
func (d *dialing) describe(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return fmt.Errorf("eddy: %w", err)
	}
	return fmt.Errorf("eddy: dial %s %s: %w", d.network, d.address, err)
}

// dialSocket connects a non-blocking socket, which the caller owns. It blocks.
func dialSocket(ctx context.Context, network, address string) (fd int, peer endpoint, err error) {
	switch network {
	case "tcp", "tcp4", "tcp6", "unix":
	default:
		return -1, endpoint{}, net.UnknownNetworkError(network)
	}
	dialer := net.Dialer{KeepAlive: -1} // our deadlines are shorter than TCP's
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return -1, endpoint{}, err
	}
	defer conn.Close() // the duplicate lives on
	return takeConn(conn.(syscall.Conn))
}

// takeConn duplicates the socket of a connection, and returns its peer too.
func takeConn(conn syscall.Conn) (fd int, peer endpoint, err error) {
	if fd, err = duplicate(conn); err != nil {
		return -1, endpoint{}, err
	}
	sa, err := unix.Getpeername(fd)
	if err != nil { // ENOTCONN: the peer has gone already
		closeFD(fd)
		return -1, endpoint{}, err
	}
	return fd, encode(sa), nil
}

// adopt opens a connection on a connected, non-blocking socket, which is the loop's
// from now on, whatever is returned.
func (l *Loop) adopt(fd int, peer endpoint, s *Service) (*Conn, error) {
	if !l.limit.served.take() {
		closeFD(fd)
		return nil, errMaxConns
	}
	boundUnacknowledged(fd, s.settings.WriteTimeout)
	c := l.open(fd, peer, s)
	if c == nil {
		return nil, ErrServerClosed
	}
	return c, nil
}

var errMaxConns = errors.New("the limit of open connections is reached: raise Options.MaxConns")
