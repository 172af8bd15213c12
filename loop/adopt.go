package loop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/eddynet/eddy/internal/sockets"
	"github.com/eddynet/eddy/poller"
)

// Adopt gives the loop a connection of package net, over which p is spoken: a *net.TCPConn or
// *net.UnixConn without a read or write in progress; for a descriptor, see net.FileConn. conn is
// closed, whatever is returned: the loop has its socket. Loop only: elsewhere use Engine.Adopt.
func (l *Loop) Adopt(conn net.Conn, p Protocol) (*Conn, error) {
	c, err := l.adopt(conn, p)
	if err != nil {
		err = fmt.Errorf("eddy: adopt a connection: %w", err)
	}
	return c, err
}

func (l *Loop) adopt(conn net.Conn, p Protocol) (*Conn, error) {
	if conn == nil {
		return nil, errNoConn
	}
	defer conn.Close() // the duplicate lives on
	if p == nil {
		return nil, errNoProtocol
	}
	fd, peer, err := sockets.FromConn(conn)
	if err != nil {
		return nil, err
	}
	sockets.BoundUnacknowledged(fd, l.settings.WriteTimeout)
	return l.take(l.newConn(fd, peer), p)
}

// AdoptTransport is Adopt without a socket: t, memory for example, calls Conn.Wake when there is
// new input or room. remote and local may be nil. Loop only.
func (l *Loop) AdoptTransport(t Transport, remote, local net.Addr, p Protocol) (*Conn, error) {
	c := l.newConn(-1, sockets.FromNetAddr(remote))
	c.extra = &extra{top: t, bottom: t, local: sockets.FromNetAddr(local)}
	return l.take(c, p)
}

func (l *Loop) take(c *Conn, p Protocol) (*Conn, error) {
	err := errMaxConns
	if l.limit.served.acquire() {
		if l.open(c, p, &l.count.Dialled) {
			return c, nil
		}
		err = ErrServerClosed
	} else {
		c.closeTransport()
	}
	return nil, err
}

// Dial connects to an address, over which p is spoken, on this loop. The network is tcp, tcp4, tcp6
// or unix. net.Dialer looks names up and tries addresses (RFC 8305), on a goroutine. done is called
// once, on the loop and not inside Dial: after p, or with an error. That is a net.Error with
// Timeout after timeout, and ErrServerClosed when the loop ends. A Dial from the last callbacks of
// a loop is ignored. Loop only: elsewhere use Engine.Dial.
func (l *Loop) Dial(network, address string, p Protocol, timeout time.Duration, done func(c *Conn, err error)) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	d := &dialing{loop: l, network: network, address: address, protocol: p, cancel: cancel, done: done}
	d.token = l.table.Add(d) // so that it ends with the loop
	if !l.inbox.ended {      // else the loop is about to end it
		go func() {
			conn, err := d.dial(ctx)
			if l.PostUnbounded(func() { d.connected(conn, err) }) != nil && err == nil {
				_ = conn.Close() // the loop has ended, and end was called
			}
		}()
	}
}

// dialing is a connection attempt. It is in the loop's table until done is called.
type dialing struct {
	loop             *Loop
	network, address string
	protocol         Protocol
	token            poller.Token
	cancel           context.CancelFunc // of dial
	done             func(*Conn, error)
}

// On its own goroutine.
func (d *dialing) dial(ctx context.Context) (net.Conn, error) {
	switch {
	case d.protocol == nil:
		return nil, errNoProtocol
	case d.network != "unix" && d.network != "tcp" && d.network != "tcp4" && d.network != "tcp6":
		return nil, net.UnknownNetworkError(d.network)
	}
	dialer := net.Dialer{KeepAlive: -1} // our deadlines are shorter than TCP's
	return dialer.DialContext(ctx, d.network, d.address)
}

func (d *dialing) connected(conn net.Conn, err error) {
	if d.loop.table.Lookup(d.token) == nil {
		if err == nil {
			_ = conn.Close()
		}
		return
	}
	var c *Conn
	if err == nil {
		c, err = d.loop.adopt(conn, d.protocol)
	}
	d.finish(c, err)
}

// Never called: the poller does not have the token.
func (d *dialing) ready(poller.Ready) {}

func (d *dialing) end(cause error) { d.finish(nil, cause) }

func (d *dialing) finish(c *Conn, err error) {
	d.loop.table.Remove(d.token)
	d.cancel()
	if err != nil {
		d.loop.count.DialErrors++
		err = d.describe(err)
	}
	d.loop.call(func() { d.done(c, err) })
	d.loop.returned(d)
	if c != nil {
		c.schedule()
	}
}

func (d *dialing) describe(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return fmt.Errorf("eddy: %w", err)
	}
	return fmt.Errorf("eddy: dial %s %s: %w", d.network, d.address, err)
}
