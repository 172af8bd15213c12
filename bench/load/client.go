//go:build linux

package main

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/eddynet/eddy/bench/proc"
	"github.com/eddynet/eddy/bench/sample"
	"golang.org/x/sys/unix"
)

// client is the event loop and its connections. It runs on one goroutine.
type client struct {
	plan
	send   messages
	server *unix.SockaddrInet4
	poller int
	events []unix.EpollEvent
	input  []byte  // read buffer, shared by all connections
	conns  []*conn // by file descriptor

	workers []*conn
	sippers []*conn
	setUp   int // connections that have received their first response
	lost    int // failed connections
	steady  bool

	connected func() error // called when all connections are made, unless nil
	open      *openLoop    // nil: closed
	draining  bool         // no more requests are sent

	latency *hdrhistogram.Histogram // ns
	asked   int64                   // requests, while some are rare
	count   int64                   // answers in the measured time
	total   int64
	bytes   int64
	errors  sample.Errors
	cause   error // the first error's
}

func newClient(p plan) (*client, error) {
	address, err := netip.ParseAddrPort(p.address)
	if err != nil || !address.Addr().Is4() {
		return nil, fmt.Errorf("-address %s: must be an IPv4 address and a port", p.address)
	}
	poller, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	c := &client{
		plan:    p,
		send:    p.messages(),
		server:  &unix.SockaddrInet4{Addr: address.Addr().As4(), Port: int(address.Port())},
		poller:  poller,
		events:  make([]unix.EpollEvent, 512),
		input:   make([]byte, 256<<10),
		latency: hdrhistogram.New(1, int64(time.Minute), 3),
	}
	if p.rate > 0 {
		c.open = newOpenLoop(p.rate)
	}
	return c, nil
}

func (c *client) newReader() reader {
	switch c.protocol {
	case "echo":
		return &echoReader{message: c.send.echo}
	case "websocket":
		return &upgradeReader{frames: echoReader{message: c.send.echo}}
	}
	return &httpReader{}
}

// run makes the connections, warms up, and measures.
func (c *client) run() (sample.Sample, error) {
	if err := c.connectAll(); err != nil {
		return sample.Sample{}, err
	}
	if c.connected != nil {
		if err := c.connected(); err != nil {
			return sample.Sample{}, err
		}
	}
	c.begin(time.Now())
	if err := c.until(time.Now().Add(c.warm), 0); err != nil {
		return sample.Sample{}, err
	}
	var before, own proc.Usage
	var err error
	if before, own, err = c.usages(); err != nil {
		return sample.Sample{}, err
	}
	start := time.Now()
	c.latency.Reset()
	c.count, c.bytes = 0, 0
	if err := c.until(start.Add(c.duration), c.requests); err != nil {
		return sample.Sample{}, err
	}
	if c.drain {
		if err := c.awaitAll(); err != nil {
			return sample.Sample{}, err
		}
	}
	s := sample.Sample{Elapsed: time.Since(start), Requests: c.count, Bytes: c.bytes}
	after, ownAfter, err := c.usages()
	if err != nil {
		return s, err
	}
	c.countLate(time.Now())
	used := after.Since(before)
	s.CPU, s.User, s.System = used.CPU, used.User, used.System
	s.Client = ownAfter.Since(own).CPU
	return s, c.fill(&s)
}

// fill sets the figures common to all kinds of runs.
func (c *client) fill(s *sample.Sample) (err error) {
	s.Total, s.Errors = c.total, c.errors
	s.P50 = time.Duration(c.latency.ValueAtPercentile(50))
	s.P99 = time.Duration(c.latency.ValueAtPercentile(99))
	s.P999 = time.Duration(c.latency.ValueAtPercentile(99.9))
	s.Max = time.Duration(c.latency.Max())
	if c.pid != 0 {
		s.RSS, err = proc.RSS(c.pid)
	}
	return err
}

// connectAll makes all connections and sends a request on each. The number of
// concurrent handshakes is limited: the kernel drops a SYN when the accept queue is full
// and retransmits it only after a second.
func (c *client) connectAll() error {
	const mostPending = 128
	limit := time.Now().Add(30 * time.Second)
	all := c.connections + c.holders
	for made := 0; c.setUp < all; {
		for made < all && made-c.setUp < mostPending {
			k := &conn{role: holder}
			if made < c.connections {
				k.role = worker
				c.workers = append(c.workers, k)
			}
			if err := c.introduce(k); err != nil {
				return err
			}
			made++
		}
		if err := c.cycle(10); err != nil {
			return err
		}
		if c.lost > 0 || time.Now().After(limit) {
			return fmt.Errorf("%d of %d connections have received their first response: errors: %v: %w",
				c.setUp, all, c.errors, c.cause)
		}
	}
	for range c.slow {
		k := &conn{role: sipper, out: c.send.sip}
		if err := c.connect(k); err != nil {
			return err
		}
		c.sippers = append(c.sippers, k)
	}
	c.steady = true
	return nil
}

// introduce connects k and prepares its first request.
func (c *client) introduce(k *conn) error {
	if err := c.connect(k); err != nil {
		return err
	}
	first := c.send.first
	k.awaiting = 1
	if first == nil {
		first, k.awaiting = c.send.usual, c.pipeline
		k.left = max(0, k.left-1)
	}
	k.start, k.out = time.Now(), first
	return nil
}

// begin sends the first measured request of each worker.
func (c *client) begin(now time.Time) {
	if c.open != nil {
		c.open.begin(now, c.workers)
		return
	}
	for _, k := range c.workers {
		c.ask(k, now)
	}
}

// answered is called when k has received all awaited responses.
func (c *client) answered(k *conn, now time.Time) {
	switch {
	case !c.steady:
		c.setUp++
	case k.role != worker:
	case c.draining:
		if c.perConnection > 0 && k.left == 0 {
			c.close(k) // the server closes it too
		}
	case c.open != nil:
		c.open.free = append(c.open.free, k)
	default:
		c.ask(k, now)
	}
}

// record counts responses, and the latency of usual requests.
func (c *client) record(k *conn, now time.Time, answers int) {
	c.count += int64(answers)
	c.total += int64(answers)
	if !k.rare {
		c.recordLatency(now.Sub(k.start), answers)
	}
}

func (c *client) recordLatency(latency time.Duration, answers int) {
	_ = c.latency.RecordValues(min(max(1, int64(latency)), int64(time.Minute)), int64(answers)) // in range
}

// until runs the loop up to a time, or until so many responses were counted, unless 0.
func (c *client) until(end time.Time, answers int64) error {
	sip := time.Now()
	for now := sip; now.Before(end) && (answers == 0 || c.count < answers); now = time.Now() {
		wait := int(min(end.Sub(now), 100*time.Millisecond).Milliseconds()) + 1
		if c.open != nil {
			wait = 0 // a timer of the kernel would be too late
			c.sendDue(now)
		}
		if len(c.sippers) > 0 && now.Sub(sip) >= sipping {
			sip = now
			c.sip()
		}
		if c.lost == len(c.workers) && c.lost > 0 {
			break // no connection is left
		}
		if err := c.cycle(wait); err != nil {
			return err
		}
	}
	return nil
}

// awaitAll waits for the responses to all requests sent.
func (c *client) awaitAll() error {
	c.draining = true
	awaiting := func(k *conn) bool { return k.awaiting > 0 }
	for limit := time.Now().Add(c.timeout); slices.ContainsFunc(c.workers, awaiting) && time.Now().Before(limit); {
		if err := c.cycle(10); err != nil {
			return err
		}
	}
	return nil
}

// cycle waits for events, in milliseconds, and handles them.
func (c *client) cycle(wait int) error {
	n, err := unix.EpollWait(c.poller, c.events, wait)
	if err == unix.EINTR {
		return nil
	}
	if err != nil {
		return err
	}
	for _, event := range c.events[:n] {
		if k := c.conns[event.Fd]; k != nil {
			c.ready(k, event.Events)
		}
	}
	return nil
}

// countLate counts requests without a response after the timeout. In an open loop it
// also records how long unanswered requests have waited.
func (c *client) countLate(now time.Time) {
	if c.open != nil {
		c.countUnsent(now)
	}
	for _, k := range c.workers {
		if k.awaiting == 0 {
			continue
		}
		waited := now.Sub(k.start)
		if waited > c.timeout {
			c.errors.Timeout++
		}
		if c.open != nil && !k.rare {
			c.recordLatency(waited, 1)
		}
	}
}

// end closes the connections and the poller.
func (c *client) end() {
	for _, k := range c.conns {
		if k != nil {
			c.close(k)
		}
	}
	unix.Close(c.poller) // cannot fail
}

// usages returns the processor time of the server, if its process is known, and of this process.
func (c *client) usages() (server, own proc.Usage, err error) {
	if c.pid != 0 {
		if server, err = proc.UsageOf(c.pid); err != nil {
			return server, own, err
		}
	}
	own, err = proc.UsageOf(unix.Getpid())
	return server, own, err
}
