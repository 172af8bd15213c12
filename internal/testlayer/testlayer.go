// Package testlayer has a layer for tests: it changes every byte, as encryption does, and
// passes input and output on in pieces of random sizes, some of which it holds back.
package testlayer

import (
	"io"
	"math/rand/v2"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/loop"
)

// maxHeld bounds the output in bytes that the layer holds.
const maxHeld = 4000

// Under returns p over the layer. The seed decides the sizes, and which pieces are held.
func Under(p loop.Protocol, seed uint64) loop.Protocol {
	var conns atomic.Uint64 // two loops count at the same time
	return func(c *loop.Conn) loop.Handler {
		n := 2 * conns.Add(1)
		err := c.AddLayer(func(below loop.Transport) loop.Transport {
			return &layer{Transport: below, reads: sizes{rand.New(rand.NewPCG(seed, n))}, writes: sizes{rand.New(rand.NewPCG(seed, n+1))}}
		})
		if err != nil {
			return nil
		}
		return p(c)
	}
}

// Flip does to p what the layer does: twice is not at all.
func Flip(p []byte) {
	for i := range p {
		p[i] ^= 0x5a
	}
}

// Client is the client's end of a connection under the layer.
type Client struct{ io.ReadWriteCloser }

func (c Client) Read(p []byte) (n int, err error) {
	n, err = c.ReadWriteCloser.Read(p)
	Flip(p[:n])
	return n, err
}

func (c Client) Write(p []byte) (n int, err error) {
	q := append([]byte(nil), p...)
	Flip(q)
	return c.ReadWriteCloser.Write(q)
}

// CloseWrite is that of the connection below.
func (c Client) CloseWrite() error {
	return c.ReadWriteCloser.(interface{ CloseWrite() error }).CloseWrite()
}

// sizes are those of the pieces of one direction. Each direction has its own: after
// Detach, two goroutines use the layer.
type sizes struct{ *rand.Rand }

// next is between 1 and most, often small.
func (s sizes) next(most int) int {
	bound := []int{1, 20, 500, 8000}[s.IntN(4)]
	return 1 + s.IntN(min(bound, most))
}

// layer is one connection's.
type layer struct {
	loop.Transport
	reads, writes sizes
	in            []byte // flipped
	inErr         error  // after in
	out           []byte // flipped
	scratch       [8000]byte
}

func (l *layer) Read(p []byte) (int, error) {
	if len(l.in) == 0 && l.inErr == nil {
		n, err := l.Transport.Read(l.scratch[:l.reads.next(len(l.scratch))])
		if err == unix.EAGAIN || err == unix.EINTR {
			return 0, err
		}
		l.in, l.inErr = l.scratch[:n], err
		Flip(l.in)
		if n > 0 && l.reads.IntN(4) == 0 {
			return 0, unix.EAGAIN // as if it were a part of a record: Held says that there is more
		}
	}
	if len(l.in) == 0 {
		err := l.inErr
		if err != io.EOF {
			l.inErr = nil
		}
		return 0, err
	}
	n := copy(p[:l.reads.next(len(p))], l.in)
	l.in = l.in[n:]
	return n, nil
}

func (l *layer) Held() (bool, int64) {
	input, output := l.Transport.Held()
	return input || len(l.in) > 0 || l.inErr != nil && l.inErr != io.EOF, output + int64(len(l.out))
}

// pass passes held output on.
func (l *layer) pass() error {
	for len(l.out) > 0 {
		n, err := l.Transport.Write([][]byte{l.out[:l.writes.next(len(l.out))]})
		l.out = l.out[n:]
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *layer) Write(slices [][]byte) (n int, err error) {
	if err := l.pass(); err != nil {
		return 0, err
	}
	for _, p := range slices {
		m := min(len(p), maxHeld-len(l.out))
		l.out = append(l.out, p[:m]...)
		Flip(l.out[len(l.out)-m:])
		if n += m; m < len(p) {
			break
		}
	}
	if n > 0 && l.writes.IntN(4) == 0 {
		return n, nil // held until the next call
	}
	if err = l.pass(); n > 0 && err == unix.EAGAIN {
		err = nil
	}
	return n, err
}

func (l *layer) CloseWrite() error {
	if err := l.pass(); err != nil {
		return err
	}
	return l.Transport.CloseWrite()
}
