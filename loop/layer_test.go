package loop

import (
	"flag"
	"io"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// layered has all tests of this package that open connections by hand put a layer under
// them: go test ./loop -args -layered.
var layered = flag.Bool("layered", false, "put a layer under connections")

// buffering is a layer that holds input and output, as TLS does with records, and does
// not change the bytes.
type buffering struct {
	Transport
	in      []byte
	inErr   error // after in
	out     []byte
	reads   int // counted for the sizes, as writes are: after Detach on another goroutine
	writes  int
	scratch [1000]byte
}

// maxHeld bounds the output that a buffering holds.
const maxHeld = 4000

func addBuffering(c *Conn) {
	_ = c.AddLayer(func(below Transport) Transport { return &buffering{Transport: below} }) // nothing is written
}

// underLayer is p, over a buffering if the tests are to run so.
func underLayer(p Protocol) Protocol {
	if !*layered {
		return p
	}
	return func(c *Conn) Handler {
		addBuffering(c)
		return p(c)
	}
}

// skipLayered skips a test that does not hold over a buffering.
func skipLayered(t *testing.T, why string) {
	t.Helper()
	if *layered {
		t.Skip(why)
	}
}

// size returns different sizes, small ones among them.
func size(turn *int, most int) int {
	*turn++
	return min([]int{1, 700, 13, 1000, 400}[*turn%5], most)
}

func (b *buffering) Read(p []byte) (int, error) {
	if len(b.in) == 0 && b.inErr == nil {
		n, err := b.Transport.Read(b.scratch[:])
		if err == unix.EAGAIN || err == unix.EINTR {
			return 0, err
		}
		b.in, b.inErr = b.scratch[:n], err
	}
	if len(b.in) == 0 {
		err := b.inErr
		if err != io.EOF {
			b.inErr = nil
		}
		return 0, err
	}
	n := copy(p[:size(&b.reads, len(p))], b.in)
	b.in = b.in[n:]
	return n, nil
}

func (b *buffering) Held() (bool, int64) {
	input, output := b.Transport.Held()
	return input || len(b.in) > 0 || b.inErr != nil && b.inErr != io.EOF, output + int64(len(b.out))
}

// pass passes held output on.
func (b *buffering) pass() error {
	for len(b.out) > 0 {
		n, err := b.Transport.Write([][]byte{b.out[:size(&b.writes, len(b.out))]})
		b.out = b.out[n:]
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *buffering) Write(slices [][]byte) (n int, err error) {
	if err := b.pass(); err != nil {
		return 0, err
	}
	for _, p := range slices {
		m := min(len(p), maxHeld-len(b.out))
		b.out = append(b.out, p[:m]...)
		n += m
		if m < len(p) {
			break
		}
	}
	err = b.pass()
	if n > 0 && err == unix.EAGAIN {
		err = nil
	}
	return n, err
}

func (b *buffering) CloseWrite() error {
	if err := b.pass(); err != nil {
		return err
	}
	return b.Transport.CloseWrite()
}

func TestLayersAreListedFromTheTop(t *testing.T) {
	r := newRig(t)
	c, _ := r.open(unixPair, &script{})
	added := slices.Collect(c.Layers())
	if !*layered && added != nil {
		t.Errorf("a connection without layers has %v", added)
	}
	for range 3 {
		_ = c.AddLayer(func(below Transport) Transport { // nothing is written
			added = append([]Transport{&secret{Transport: below}}, added...)
			return added[0]
		})
	}
	if got := slices.Collect(c.Layers()); !slices.Equal(got, added) {
		t.Errorf("got %v, want %v", got, added)
	}
	for layer := range c.Layers() {
		if layer != added[0] {
			t.Error("the first is not the top")
		}
		break
	}
}

func TestCloseWithACauseSendsOutput(t *testing.T) {
	r := newRig(t)
	p := &script{}
	c, peer := r.open(unixPair, p)
	_, _ = c.WriteString("the reason")
	c.CloseWith(io.ErrUnexpectedEOF)
	r.until("the output arrives", func() bool { return peer.all() })
	peer.close()
	r.until("the connection ends", p.ended)
	if string(peer.got) != "the reason" {
		t.Errorf("the peer got %q", peer.got)
	}
	p.expect(t, "open", "close:"+io.ErrUnexpectedEOF.Error())
}
