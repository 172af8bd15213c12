package loop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/poller"
)

// Dial connects to an address, over which p is spoken, on this loop. The network is
// tcp, tcp4, tcp6 or unix. done is called on the loop, not inside Dial, after
// p.OnOpen, or with an error when none of the address's hosts has answered within
// timeout. A name is looked up on a goroutine. Loop only: elsewhere use Engine.Dial.
func (l *Loop) Dial(network, address string, p Protocol, timeout time.Duration, done func(c *Conn, err error)) {
	d := &dialing{
		loop: l, network: network, address: address, fd: -1, done: done,
		service: &Service{loop: l, protocol: bind(p, l), settings: l.settings, dialled: true},
	}
	d.token = l.table.add(d) // so that it ends with the loop
	d.limit = l.After(timeout, func() { d.finish(nil, os.ErrDeadlineExceeded) })
	if network == "unix" {
		d.targets = []unix.Sockaddr{&unix.SockaddrUnix{Name: address}}
		_ = l.post(task{run: d.next, must: true}) // an error says that the loop has ended
		return
	}
	go d.resolve(timeout)
}

// dialing is a connection attempt.
type dialing struct {
	loop             *Loop
	network, address string
	service          *Service
	targets          []unix.Sockaddr // still to try
	fd               int             // of the attempt under way, -1 without one
	peer             endpoint        // of the attempt under way
	token            poller.Token    // another one for each attempt
	limit            *Timer
	err              error // of the last attempt
	done             func(*Conn, error)
}

// resolve looks the host up, away from the loop.
func (d *dialing) resolve(timeout time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	targets, err := lookup(ctx, d.network, d.address)
	_ = d.loop.post(task{must: true, run: func() { // an error says that the loop has ended
		if err != nil {
			d.finish(nil, err)
			return
		}
		d.targets = targets
		d.next()
	}})
}

func lookup(ctx context.Context, network, address string) ([]unix.Sockaddr, error) {
	version, ok := map[string]string{"tcp": "ip", "tcp4": "ip4", "tcp6": "ip6"}[network]
	if !ok {
		return nil, net.UnknownNetworkError(network)
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, network, service)
	if err != nil {
		return nil, err
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, version, host)
	if err != nil {
		return nil, err
	}
	var targets []unix.Sockaddr
	for _, ip := range ips {
		targets = append(targets, sockaddr(ip.Unmap(), port))
	}
	return targets, nil
}

func sockaddr(ip netip.Addr, port int) unix.Sockaddr {
	if ip.Is4() {
		return &unix.SockaddrInet4{Addr: ip.As4(), Port: port}
	}
	sa := &unix.SockaddrInet6{Addr: ip.As16(), Port: port}
	if i, err := net.InterfaceByName(ip.Zone()); err == nil {
		sa.ZoneId = uint32(i.Index)
	}
	return sa
}

// next begins the next attempt. The connection is known to be made, or to have
// failed, when the socket is writable, even if that is so at once.
func (d *dialing) next() {
	if d.done == nil {
		return // the time was up before
	}
	if d.loop.draining {
		d.finish(nil, ErrServerClosed)
		return
	}
	for len(d.targets) > 0 {
		target := d.targets[0]
		d.targets = d.targets[1:]
		if d.err = d.attempt(target); d.err == nil {
			return
		}
	}
	d.finish(nil, d.err)
}

func (d *dialing) attempt(target unix.Sockaddr) error {
	fd, err := d.loop.openSocket(target)
	if err != nil {
		return err
	}
	d.peer = encode(target)
	err = d.loop.calls.connect(fd, target)
	if err == nil || errors.Is(err, unix.EINPROGRESS) || errors.Is(err, unix.EINTR) {
		d.loop.table.remove(d.token)
		d.token = d.loop.table.add(d)
		if err = d.loop.poller.Add(fd, d.token, poller.Writable); err == nil {
			d.fd = fd
			return nil
		}
	}
	closeFD(fd)
	return err
}

// ready tells how the attempt has ended.
func (d *dialing) ready(poller.Ready) {
	if d.err = d.loop.calls.socketError(d.fd); d.err != nil {
		d.drop()
		d.next()
		return
	}
	fd := d.fd
	d.fd = -1
	if err := d.loop.poller.Delete(fd); err != nil {
		closeFD(fd)
		d.finish(nil, err)
		return
	}
	if !d.loop.limit.served.take() {
		closeFD(fd)
		d.finish(nil, errMaxConns)
		return
	}
	c := d.loop.open(fd, d.peer, d.service)
	if c == nil {
		d.finish(nil, ErrServerClosed)
		return
	}
	d.finish(c, nil)
}

func (d *dialing) end(cause error) { d.finish(nil, cause) }

// drop ends the attempt under way.
func (d *dialing) drop() {
	if d.fd >= 0 {
		closeFD(d.fd)
		d.fd = -1
	}
}

// finish reports, once.
func (d *dialing) finish(c *Conn, err error) {
	done := d.done
	if done == nil {
		return
	}
	d.done = nil
	d.limit.Stop()
	d.loop.table.remove(d.token)
	d.drop()
	if err != nil {
		d.loop.count.DialErrors++
		err = fmt.Errorf("eddy: dial %s %s: %w", d.network, d.address, err)
	}
	d.loop.call(func() { done(c, err) })
	if c != nil {
		c.attend()
	}
}

var errMaxConns = errors.New("the limit of open connections is reached: raise Options.MaxConns")

// openSocket opens a non-blocking socket for the address.
func (l *Loop) openSocket(target unix.Sockaddr) (int, error) {
	family := unix.AF_UNIX
	switch target.(type) {
	case *unix.SockaddrInet4:
		family = unix.AF_INET
	case *unix.SockaddrInet6:
		family = unix.AF_INET6
	}
	fd, err := l.calls.socket(family)
	if err != nil {
		return -1, err
	}
	if err = unix.SetNonblock(fd, true); err == nil && family != unix.AF_UNIX {
		err = l.calls.setOptions(fd)
	}
	if err != nil {
		closeFD(fd)
		return -1, err
	}
	return fd, nil
}
