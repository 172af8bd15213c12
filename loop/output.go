package loop

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/buffers"
)

// shortageDelay is how long to wait when the kernel is short of memory or of
// descriptors.
const shortageDelay = 50 * time.Millisecond

const (
	// writeBudget is about how many bytes one connection writes in one cycle.
	writeBudget = 256 << 10
	// maxSlices is how many segments one write gathers.
	maxSlices = 64
	// progressStep is how many bytes a peer has to take within WriteTimeout, if
	// as many are pending. Otherwise a trickle would keep a connection for ever.
	progressStep = 16 << 10
)

// Pending is the number of bytes that were written but not yet accepted by the
// kernel.
func (c *Conn) Pending() int64 {
	if c.out == nil {
		return 0
	}
	return c.out.Len()
}

// Full says that the output has risen above the high-water mark. No input is
// delivered until it has fallen to the low one and OnDrain was called.
func (c *Conn) Full() bool { return c.is(outputFull) || c.Pending() > c.settings.HighWater }

// Write copies p behind the pending output. It leaves with everything else that
// the callback writes, in one system call. The error is ErrClosed, or
// ErrOutputFull, which has aborted the connection: see Settings.MaxOutput.
func (c *Conn) Write(p []byte) (int, error) {
	q, err := c.queue()
	if err != nil {
		return 0, err
	}
	q.Write(p)
	return len(p), nil
}

// WriteParts is Write for several slices that belong together: all or none of them
// is written.
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
func (c *Conn) WriteString(s string) (int, error) {
	q, err := c.queue()
	if err != nil {
		return 0, err
	}
	b := q.Tail()
	b.B = append(b.B, s...)
	return len(s), nil
}

// Out is the buffer at the end of the pending output: append to its B. It is valid
// until the callback returns or another method of c writes. What is appended when
// the connection is not open is thrown away. Large output is better off with
// Write, which spreads it over several buffers.
func (c *Conn) Out() *buffers.Buffer {
	q, err := c.queue()
	if err != nil {
		c.loop.discard.Reset()
		return &c.loop.discard
	}
	return q.Tail()
}

// WriteBuffer moves b, which the loop owns from now on, also when an error is
// returned, behind the pending output. The errors are Write's.
func (c *Conn) WriteBuffer(b *buffers.Buffer) error {
	q, err := c.queue()
	if err != nil {
		c.loop.outputs.Put(b)
		return err
	}
	q.WriteBuffer(b)
	return nil
}

// WriteOwned puts p itself behind the pending output, without a copy. p must not
// change until release is called: on the loop, once, when p is written or the
// connection has ended, and also when an error is returned. It may be nil. The errors
// are Write's.
func (c *Conn) WriteOwned(p []byte, release func()) error {
	return c.WriteFramed(nil, p, nil, release)
}

// WriteFramed is WriteOwned for p between two slices that are copied: all of it is
// written, or none.
func (c *Conn) WriteFramed(before, p, behind []byte, release func()) error {
	q, err := c.queue()
	if err != nil {
		if release != nil {
			release()
		}
		return err
	}
	q.Write(before)
	q.WriteOwned(p, release)
	q.Write(behind)
	return nil
}

// SendFile puts n bytes of f at offset behind the pending output. f is closed when
// they are written or the connection has ended, also when an error is returned. A
// file that ends before n bytes aborts the connection. Where the kernel can, it
// copies without passing through the program, sendfile(2). The disk is read on
// the loop: a slow one holds it up.
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
func (c *Conn) queue() (*buffers.Queue, error) {
	q, err := c.queueBeyond()
	if err == nil && q.Len() > c.settings.MaxOutput {
		c.Abort(ErrOutputFull)
		return nil, ErrOutputFull
	}
	return q, err
}

// queueBeyond is queue for output that is within bounds already.
func (c *Conn) queueBeyond() (*buffers.Queue, error) {
	if c.state != Open || c.is(writeDone) {
		return nil, ErrClosed
	}
	if c.out == nil {
		c.out = c.loop.outputs.GetQueue()
	}
	c.attend()
	return c.out, nil
}

// flush is the place where output leaves a connection.
func (c *Conn) flush() {
	defer c.recovered() // of a release function
	q := c.out
	taken := int64(0)
	for q.Len() > 0 {
		n, wanted, err := c.writeHead(q)
		q.Advance(n) // calls release functions, which may write more
		taken += n
		c.loop.count.BytesWritten += uint64(n)
		if err != nil {
			c.Abort(err) // the peer has got a part only
			return
		}
		if n < wanted || taken >= writeBudget || c.state == Closed {
			break
		}
	}
	c.noteBacklog(q.Len())
	if q.Len() > 0 {
		c.watchProgress(taken)
		return
	}
	c.writeBy = 0
	c.out = nil
	c.loop.outputs.PutQueue(q)
}

// writeHead writes what stands at the head of q, in one system call, and returns
// how much of what it tried was taken. A kernel that takes nothing now is not an
// error.
func (c *Conn) writeHead(q *buffers.Queue) (n, wanted int64, err error) {
	var errno unix.Errno
	fd := int(c.fd)
	if f, offset, length := q.File(); f != nil {
		wanted = min(length, writeBudget)
		n, err = c.loop.calls.sendFile(fd, f, offset, wanted)
		if err == nil && n == 0 {
			return 0, wanted, errFileShort
		}
		errno, _ = err.(unix.Errno)
		if err != nil && errno == 0 {
			return 0, wanted, err
		}
	} else {
		slices := q.Slices(c.loop.slices, writeBudget)
		var m int
		if len(slices) == 1 {
			wanted = int64(len(slices[0]))
			m, errno = c.loop.calls.write(fd, slices[0])
		} else {
			for _, p := range slices {
				wanted += int64(len(p))
			}
			m, errno = c.loop.calls.writev(fd, slices)
		}
		n = int64(m)
	}
	switch errno {
	case 0:
		return n, wanted, nil
	case unix.EAGAIN, unix.EINTR:
		// No room, or a signal came first: the poller says when to go on.
		return 0, wanted, nil
	case unix.ENOBUFS, unix.ENOMEM:
		c.retryLater(writeBackoff)
		return 0, wanted, nil
	}
	return 0, wanted, errno
}

// markFull notes that output has risen above the high-water mark, before it is
// flushed: a callback that saw Full waits for OnDrain, even if the flush takes all.
func (c *Conn) markFull() {
	if !c.is(outputFull) && c.out.Len() > c.settings.HighWater {
		c.flags |= outputFull
		c.shared.Or(refFull)
	}
}

// markDrained notes that output has fallen to the low-water mark.
func (c *Conn) markDrained() {
	if !c.is(outputFull) || c.state == Closed || c.Pending() > c.settings.LowWater {
		return
	}
	c.flags &^= outputFull
	c.shared.And(^refFull)
	if h, ok := c.protocol.(DrainHandler); ok && c.state == Open {
		c.call(h.OnDrain)
		if c.out != nil {
			c.markFull() // it has filled the output again: the poller need not be told of anything
		}
	}
	c.Again()
}

// noteBacklog counts n bytes of output that stay when the socket takes no more.
func (c *Conn) noteBacklog(n int64) {
	if c.out != nil {
		c.loop.count.PendingOutput += n - c.out.Noted
		c.out.Noted = n
	}
}

// watchProgress sets the write deadline when output begins to wait, and moves it
// whenever the peer has taken enough of it. n was taken just now.
func (c *Conn) watchProgress(n int64) {
	c.progress += n
	if c.writeBy != 0 && c.progress < progressStep {
		return
	}
	c.progress = 0
	c.writeBy = later(c.loop.now, c.settings.WriteTimeout)
	c.armTimer()
}

// retryLater stops waiting for the socket to be readable or writable, and tries again
// after a while: the kernel is short of memory for a moment, which the poller does not
// know of. It would report the socket ready again and again.
func (c *Conn) retryLater(direction flags) {
	c.flags |= direction
	c.After(shortageDelay, func(c *Conn) {
		c.flags &^= direction
		c.attend()
	})
}
