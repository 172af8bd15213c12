package loop

import (
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/internal/outbox"
	"github.com/eddynet/eddy/internal/sockets"
)

// shortageDelay is the wait when the kernel is short of memory or descriptors.
const shortageDelay = 50 * time.Millisecond

const (
	// writeBudget is about how many bytes one connection writes in one cycle.
	writeBudget = 256 << 10
	// writeAtOnce is how many bytes Write sends before it copies them.
	writeAtOnce = 16 << 10
	// progressStep is how many bytes, if as many are pending, a peer has to read within
	// WriteTimeout: a trickle would keep a connection open indefinitely.
	progressStep = 16 << 10
)

// Pending is the number of bytes that were written but not taken by the kernel, layers included.
func (c *Conn) Pending() int64 {
	n := c.held()
	if c.out != nil {
		n += c.out.Len()
	}
	return n
}

// Full reports that the output has risen above the high-water mark. No input is delivered until it
// has fallen to the low-water mark, when EventWritable comes.
func (c *Conn) Full() bool { return c.shows(full) || c.Pending() > c.settings.HighWater }

// Write appends a copy of p to the pending output, which leaves in one system call after the
// callback. 16 KiB and more leave at once if nothing is pending: only the rest is copied. The
// error is ErrClosed, or ErrOutputFull (Settings.MaxOutput), which has aborted the connection.
func (c *Conn) Write(p []byte) (int, error) {
	n := 0
	if len(p) >= writeAtOnce {
		n = c.writeNow(p)
	}
	if n == 0 || n < len(p) {
		if err := c.WriteParts(p[n:]); err != nil {
			return n, err
		}
	}
	return len(p), nil
}

// writeNow writes as much of p as the socket takes, if nothing is pending and p alone does
// not make the output full.
func (c *Conn) writeNow(p []byte) int {
	if c.out != nil || c.layered() || c.shows(mute) || int64(len(p)) > c.settings.HighWater {
		return 0
	}
	n, _ := writeSocket(int(c.fd), [][]byte{p}, false) // an error comes again with the rest
	c.loop.count.BytesWritten += uint64(n)
	return n
}

// WriteParts is Write for slices of which all or none is written, whatever MaxOutput is.
func (c *Conn) WriteParts(parts ...[]byte) error {
	q, err := c.queue()
	if err != nil {
		return err
	}
	for _, p := range parts {
		q.Write(p)
	}
	return nil
}

// WriteString is Write for a string.
func (c *Conn) WriteString(s string) (int, error) { return c.Write([]byte(s)) }

// Out is the buffer at the end of the pending output: append to its B. It is valid until the
// callback returns or another method of c writes. If the connection is not open, the bytes are
// discarded. For large output, Write is better, which spreads it over several buffers.
func (c *Conn) Out() *buffers.Buffer {
	q, err := c.queue()
	if err != nil {
		c.loop.discard.Reset()
		return &c.loop.discard
	}
	return q.Tail()
}

// WriteBuffer is Write of b itself, which the loop owns from now on, even after an error.
func (c *Conn) WriteBuffer(b *buffers.Buffer) error {
	q, err := c.queue()
	if err != nil {
		c.loop.outputs.Put(b)
		return err
	}
	q.WriteBuffer(b)
	return nil
}

// WriteOwned is Write of p itself. p must not change until release, which may be nil, is called: on
// the loop, once, when p is written or the connection has ended, and also after an error.
func (c *Conn) WriteOwned(p []byte, release func()) error {
	return c.WriteFramed(nil, p, nil, release)
}

// WriteFramed is WriteOwned for p between two slices that are copied. See WriteParts.
func (c *Conn) WriteFramed(before, p, after []byte, release func()) error {
	q, err := c.queue()
	if err != nil {
		if release != nil {
			release()
		}
		return err
	}
	q.Write(before)
	q.WriteOwned(p, release)
	q.Write(after)
	return nil
}

// SendFile appends n bytes of f at offset to the pending output. f is closed when they are written
// or the connection has ended, and also after an error. A file that ends before aborts the
// connection. On Linux, without layers, it is sendfile(2). A slow disk blocks the loop.
func (c *Conn) SendFile(f *os.File, offset, n int64) error {
	release := func() { _ = f.Close() } // opened for reading: nothing is lost
	if offset < 0 || n < 0 {
		release()
		return errFileRange
	}
	q, err := c.queue()
	if err != nil {
		release()
		return err
	}
	q.WriteFile(f, offset, n, release)
	return nil
}

// queue is the place where output enters a connection.
func (c *Conn) queue() (*outbox.Queue, error) {
	q, err := c.queueBeyond()
	if err == nil && c.Pending() > c.settings.MaxOutput {
		c.Abort(ErrOutputFull)
		return nil, ErrOutputFull
	}
	return q, err
}

// queueBeyond is queue without the bound.
func (c *Conn) queueBeyond() (*outbox.Queue, error) {
	if c.shows(mute) {
		return nil, ErrClosed
	}
	if c.out == nil {
		c.out = c.loop.outputs.GetQueue()
	}
	c.schedule()
	return c.out, nil
}

// flush is the place where output leaves a connection.
func (c *Conn) flush() {
	defer c.recovered() // of a release function, or a layer
	held := c.held()
	taken := c.writeQueue() + held - c.held()
	c.loop.count.BytesWritten += uint64(taken)
	if c.state == closed {
		return
	}
	pending := c.Pending()
	c.noteBacklog(pending)
	if c.out != nil && c.out.Len() == 0 {
		c.loop.outputs.PutQueue(c.out)
		c.out = nil
	}
	if pending == 0 {
		c.writeBy = 0
	} else {
		c.watchProgress(taken)
	}
}

func (c *Conn) writeQueue() (taken int64) {
	q := c.out
	if c.layered() {
		c.flags &^= writeRefused
		c.extra.socket.full = false
		if q == nil {
			_, err := c.write(nil)
			c.written(err)
			return 0
		}
	}
	for q.Len() > 0 {
		n, wanted, err := c.writeHead(q)
		if n == 0 && err == nil {
			err = unix.EAGAIN // a layer that takes nothing
		}
		q.Advance(n) // calls release functions, which may write more
		taken += n
		if !c.written(err) || taken >= writeBudget || c.state == closed {
			break
		}
		if n < wanted && !c.layered() {
			break // a layer may take more: it says when it does not
		}
	}
	return taken
}

// written looks at the result of a write, and reports whether to go on.
func (c *Conn) written(err error) bool {
	switch {
	case err == nil:
		return true
	case notNow(err):
		// No room, or EINTR: the poller, or a layer, says when to go on.
		c.flags |= writeRefused
	case shortOfMemory(err):
		c.retryLater(writeBackoff)
	default:
		c.Abort(err) // the peer has got a part only
	}
	return false
}

// writeHead writes the head of q, in one system call, which takes n of the wanted bytes.
func (c *Conn) writeHead(q *outbox.Queue) (n, wanted int64, err error) {
	if f, offset, length := q.File(); f != nil {
		return c.sendFile(f, offset, min(length, writeBudget))
	}
	slices := q.Slices(c.loop.slices, writeBudget)
	m, err := c.write(slices)
	return int64(m), int64(sizeOf(slices)), err
}

// sendFile sends up to n bytes of f: directly where the kernel can, otherwise by a buffer.
func (c *Conn) sendFile(f *os.File, offset, n int64) (sent, wanted int64, err error) {
	if sockets.CanSendFile && !c.layered() {
		sent, errno := sockets.SendFile(int(c.fd), f, offset, n)
		switch {
		case errno != 0:
			err = errno
		case sent == 0:
			err = errFileShort
		}
		return sent, n, err
	}
	b := c.loop.outputs.Get()
	defer c.loop.outputs.Put(b)
	b.B = slices.Grow(b.B, int(min(n, buffers.MaxKept)))
	piece := b.B[:min(n, int64(cap(b.B)))]
	m, err := f.ReadAt(piece, offset)
	if m == 0 {
		if err == io.EOF {
			err = errFileShort
		}
		return 0, n, err
	}
	c.loop.slices = append(c.loop.slices[:0], piece[:m])
	m, err = c.write(c.loop.slices)
	c.loop.slices = c.loop.slices[:0]
	return int64(m), int64(len(piece)), err
}

// markFull notes that output is above the high-water mark, before it is flushed: a callback that
// saw Full waits for EventWritable, even if the flush takes all.
func (c *Conn) markFull() {
	if !c.shows(full) && c.Pending() > c.settings.HighWater {
		c.shared.Or(full)
	}
}

func (c *Conn) markDrained() {
	if !c.shows(full) || c.state == closed || c.Pending() > c.settings.LowWater {
		return
	}
	c.shared.And(^full)
	if c.state == open {
		c.event(EventWritable)
		c.markFull() // it may have filled the output again: then the interest stays
	}
	c.Redeliver()
}

// noteBacklog counts n bytes of output that wait for room in the socket.
func (c *Conn) noteBacklog(n int64) {
	var noted *int64
	switch {
	case c.layered():
		noted = &c.extra.noted
	case c.out != nil:
		noted = &c.out.Noted
	default:
		return
	}
	c.loop.count.PendingOutput += n - *noted
	*noted = n
}

// watchProgress sets the write deadline when output begins to wait, and moves it whenever
// progressStep bytes have been taken, n of them just now.
func (c *Conn) watchProgress(n int64) {
	c.progress += n
	if c.writeBy != 0 && c.progress < progressStep {
		return
	}
	c.progress = 0
	c.writeBy = later(c.loop.now, c.settings.WriteTimeout)
	c.armTimer()
}

// retryLater tries again when the kernel may have memory. The poller, which does not know of the
// shortage, would report the socket ready again and again.
func (c *Conn) retryLater(direction flags) {
	c.flags |= direction
	c.After(shortageDelay, func(c *Conn) {
		c.flags &^= direction
		c.schedule()
	})
}
