package loop

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// secret is a layer in the manner of TLS: every byte is changed, the output ends with a
// notice, and so does the peer's. It may hold output up to a bound.
type secret struct {
	Transport
	held    []byte
	closing bool // the notice is in held
	ended   bool // the peer's notice has come
	eof     bool // Read has said so
	blocked bool // like during a handshake: it takes no output
}

const (
	key    = 0x5a
	notice = 0 // as it is sent
)

func changed(p []byte) []byte {
	q := bytes.Clone(p)
	for i := range q {
		q[i] ^= key
	}
	return q
}

func (s *secret) Read(p []byte) (int, error) {
	if s.ended {
		s.eof = true
		return 0, io.EOF
	}
	n, err := s.Transport.Read(p)
	if i := bytes.IndexByte(p[:n], notice); i >= 0 {
		s.ended = true
		if n = i; n == 0 {
			s.eof = true
			return 0, io.EOF
		}
	}
	copy(p, changed(p[:n]))
	return n, err
}

func (s *secret) Held() (bool, int64) {
	input, output := s.Transport.Held()
	return input || s.ended && !s.eof, output + int64(len(s.held))
}

func (s *secret) pass() error {
	for len(s.held) > 0 {
		n, err := s.Transport.Write([][]byte{s.held})
		s.held = s.held[n:]
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *secret) Write(slices [][]byte) (n int, err error) {
	if s.blocked {
		return 0, unix.EAGAIN
	}
	for _, p := range slices {
		if err := s.pass(); err != nil {
			if n > 0 && err == unix.EAGAIN {
				return n, nil
			}
			return n, err
		}
		p = p[:min(len(p), 16<<10)]
		s.held = append(s.held, changed(p)...)
		n += len(p)
	}
	if err := s.pass(); n == 0 {
		return 0, err
	}
	return n, nil
}

func (s *secret) CloseWrite() error {
	if !s.closing {
		s.closing = true
		s.held = append(s.held, notice)
	}
	if err := s.pass(); err != nil {
		return err
	}
	return s.Transport.CloseWrite()
}

// over puts a secret, and whatever else, under a protocol.
type over struct {
	opener
	secret *secret
	then   func(c *Conn)
}

func (p *over) Open(c *Conn) Handler {
	_ = c.AddLayer(func(below Transport) Transport { // nothing is written
		p.secret = &secret{Transport: below}
		return p.secret
	})
	if p.then != nil {
		p.then(c)
	}
	return p.opener.Open(c)
}

// said is what the peer has got, without the notice.
func said(peer *socket) string { return string(changed(bytes.TrimSuffix(peer.got, []byte{notice}))) }

func TestLayerChangesWhatPasses(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		content := strings.ReplaceAll(string(pattern(300_000)), string(rune(key)), "x")
		f := tempFile(t, []byte("from a file"))
		released := 0
		p := &script{}
		p.data = func(c *Conn, in []byte) int {
			if len(p.input)+len(in) < len(content) {
				return len(in)
			}
			_, _ = c.WriteString("copied, ")
			_ = c.WriteOwned([]byte("owned, "), func() { released++ })
			_ = c.SendFile(f, 0, int64(len("from a file")))
			c.Close()
			return len(in)
		}
		ours, peer := pair.make(t)
		r.adopt(ours, &over{opener: p})
		sent := changed([]byte(content))
		r.until("the answer arrives", func() bool {
			sent = sent[peer.offer(sent):]
			return peer.all()
		})
		if said(peer) != "copied, owned, from a file" || !bytes.HasSuffix(peer.got, []byte{notice}) || released != 1 {
			t.Errorf("the peer got %q (%q), released %d times", said(peer), peer.got, released)
		}
		if string(p.input) != content {
			t.Error("the input differs")
		}
		peer.close()
		r.until("the connection ends", p.ended)
		if last := p.calls[len(p.calls)-1]; last != "close:<nil>" {
			t.Errorf("it ends with %q", last)
		}
	})
}

func TestLayersStack(t *testing.T) {
	r := newRig(t)
	p := &script{data: echo{}.OnData}
	twice := &over{opener: &over{opener: p}} // once more, and so not at all
	_, peer := r.open(unixPair, twice)
	peer.send("hello")
	r.until("the answer arrives", peer.has("hello"))
	p.expect(t, "open", "data:hello")
}

// Memory that the handler supplies gets what the layer makes of the input.
func TestReadBufferOverALayer(t *testing.T) {
	r := newRig(t)
	space := make([]byte, 100)
	n := 0
	p := &supplier{script: &script{}}
	p.space = func(*Conn) []byte { return space[n:] }
	p.filled = func(_ *Conn, m int) { n += m }
	_, peer := r.open(unixPair, &over{opener: p})
	peer.send(string(changed([]byte("hello"))))
	r.until("input arrives", func() bool { return n == 5 })
	if string(space[:5]) != "hello" {
		t.Errorf("got %q", space[:5])
	}
}

// As with STARTTLS: the rest of the input belongs to the layer.
func TestLayerInTheMiddleOfTheInput(t *testing.T) {
	for _, handOver := range []bool{false, true} {
		r := newRig(t)
		p := &script{}
		p.data = func(c *Conn, in []byte) int {
			if string(in[:min(len(in), 6)]) != "START;" {
				return len(in)
			}
			upgrade := &over{opener: p}
			if handOver {
				c.SetProtocol(upgrade.Open)
			} else {
				upgrade.Open(c)
			}
			return len("START;")
		}
		_, peer := r.open(unixPair, p)
		peer.send("START;" + string(changed([]byte("secret"))))
		r.until("the rest arrives", func() bool { return strings.HasSuffix(string(p.input), "secret") })
		peer.send(string(changed([]byte(" more"))))
		r.until("the next input arrives", func() bool { return strings.HasSuffix(string(p.input), "secret more") })
		r.settled()
	}
}

func TestLayerForKeptInput(t *testing.T) {
	r := newRig(t)
	p := &script{data: func(*Conn, []byte) int { return 0 }}
	c, peer := r.open(unixPair, p)
	peer.send(string(changed([]byte("kept"))))
	r.until("input arrives", func() bool { return c.Buffered() == 4 })
	p.data = nil
	_ = c.Ref().Do(func(c *Conn) { (&over{opener: p}).Open(c) })
	r.until("it is delivered again", func() bool { return string(p.input) == "kept" })
}

// Output from before the layer must not pass through it.
func TestNoLayerOverPendingOutput(t *testing.T) {
	r := newRig(t)
	ours, peer := slowPair(t, unixPair)
	c := r.adopt(ours, &script{})
	_, _ = c.Write([]byte("first "))
	if err := c.AddLayer(func(below Transport) Transport { return &secret{Transport: below} }); err != nil {
		t.Fatal(err) // the kernel has taken it
	}
	_, _ = c.Write(pattern(1 << 20))
	if err := c.AddLayer(func(below Transport) Transport { return below }); err == nil {
		t.Error("a layer was added although output is pending")
	}
	r.until("the output arrives", func() bool { peer.pull(100); return len(peer.got) > 10 })
	if got := string(peer.got[:6]); got != "first " {
		t.Errorf("got %q", got)
	}
	c.Abort(nil)
	r.cycle()
	if err := c.AddLayer(func(below Transport) Transport { return below }); err != ErrClosed {
		t.Errorf("closed: %v", err)
	}
}

// During a handshake a layer refuses output although the socket has room. The loop must
// not busy-loop, and goes on when the layer says so.
func TestLayerThatRefusesOutputForAWhile(t *testing.T) {
	r := newRig(t)
	p := &over{opener: &script{}}
	p.then = func(*Conn) { p.secret.blocked = true }
	c, peer := r.open(unixPair, p)
	_, _ = c.WriteString("hello")
	r.settled()
	if c.Pending() != 5 {
		t.Fatalf("%d bytes pending", c.Pending())
	}
	p.secret.blocked = false
	_ = c.Ref().Do((*Conn).Wake)
	r.until("the output arrives", func() bool { peer.pull(100); return said(peer) == "hello" })
	r.settled()
}

// A layer that takes nothing, without an error, must not block the loop either.
func TestLayerThatTakesNothing(t *testing.T) {
	r := newRig(t)
	c, _ := r.open(unixPair, &script{})
	_ = c.AddLayer(func(below Transport) Transport { return idle{below} }) // nothing is written
	_, _ = c.WriteString("hello")
	r.settled()
	if c.Pending() != 5 || !c.Open() {
		t.Errorf("%d bytes pending, open %v", c.Pending(), c.Open())
	}
}

type idle struct{ Transport }

func (idle) Write([][]byte) (int, error) { return 0, nil }

// The end of a layer's output waits for room like all output, with its deadline.
func TestNoticeWaitsForRoom(t *testing.T) {
	for _, reads := range []bool{true, false} {
		r := newRig(t)
		ours, peer := slowPair(t, unixPair)
		p := &script{}
		o := &over{opener: p}
		c := r.adopt(ours, o)
		_, _ = c.Write(bytes.Repeat([]byte("x"), 1<<20))
		c.Close()
		r.settled()
		if c.state != closing {
			t.Fatalf("state %v", c.state)
		}
		if !reads {
			r.pass(r.settings.WriteTimeout)
			r.settled()
			p.expect(t, "open", "close:"+ErrWriteTimeout.Error())
			continue
		}
		r.until("everything arrives", peer.all)
		if said(peer) != strings.Repeat("x", 1<<20) || !bytes.HasSuffix(peer.got, []byte{notice}) {
			t.Errorf("the peer got %d bytes", len(peer.got))
		}
	}
}

func TestHalfCloseOverALayer(t *testing.T) {
	r := newRig(t)
	p := &script{}
	c, peer := r.open(tcpPair, &over{opener: p})
	_, _ = c.WriteString("all of it")
	c.CloseWrite()
	r.until("the end arrives", peer.all)
	if said(peer) != "all of it" || !bytes.HasSuffix(peer.got, []byte{notice}) {
		t.Errorf("the peer got %q", peer.got)
	}
	peer.send(string(changed([]byte("and back"))) + string(rune(notice)))
	r.until("the notice is read", func() bool { return c.EOF() })
	peer.close() // it lingers until then
	r.until("the connection ends", p.ended)
	p.expect(t, "open", "data:and back", "close:EOF")
}

// The peer's notice ends the input. Bytes after it must not turn the close into a reset,
// which would destroy output on its way.
func TestInputAfterThePeersNotice(t *testing.T) {
	r := newRig(t)
	p := withEOF(&script{}, func(c *Conn) {
		_, _ = c.Write(bytes.Repeat([]byte("x"), 100_000))
		c.Close()
	})
	_, peer := r.open(tcpPair, &over{opener: p})
	peer.send("\x00 and more")
	r.until("the answer arrives", peer.all)
	if peer.err != nil || len(said(peer)) != 100_000 {
		t.Errorf("the peer got %d bytes, %v", len(said(peer)), peer.err)
	}
	if p.ended() {
		t.Error("closed before the peer has closed")
	}
	peer.close()
	r.until("the connection ends", p.ended)
}

func TestLayersAreClosedOnce(t *testing.T) {
	for _, reset := range []bool{true, false} {
		r := newRig(t)
		var ends []bool
		p := &script{}
		c, peer := r.open(unixPair, p)
		_ = c.AddLayer(func(below Transport) Transport { return &ending{below, &ends} })
		if reset {
			c.Abort(errors.New("enough"))
		} else {
			peer.close()
		}
		r.until("the connection ends", p.ended)
		r.settled()
		if !slices.Equal(ends, []bool{reset}) {
			t.Errorf("closed %v, want once with reset %v", ends, reset)
		}
		if reset && !peer.all() {
			t.Error("the socket is open")
		}
	}
}

type ending struct {
	Transport
	ends *[]bool
}

func (e *ending) Close(reset bool) {
	*e.ends = append(*e.ends, reset)
	e.Transport.Close(reset)
}

func TestPanicInALayerCostsOneConnection(t *testing.T) {
	for _, at := range []string{"Read", "Write", "Held", "CloseWrite", "Close"} {
		t.Run(at, func(t *testing.T) {
			r := newRig(t)
			_, neighbour := r.open(unixPair, echo{})
			p := &script{data: echo{}.OnData}
			c, peer := r.open(unixPair, p)
			_ = c.AddLayer(func(below Transport) Transport { return &panicky{below, at} })
			peer.send("x")
			r.until("the connection ends", func() bool {
				r.cycle()
				if string(p.input) == "x" {
					c.Close()
					peer.shutWrite()
				}
				return p.ended()
			})
			if r.loop.count.Panics == 0 {
				t.Error("no panic was counted")
			}
			neighbour.send("still here?")
			r.until("the neighbour is served", neighbour.has("still here?"))
		})
	}
}

type panicky struct {
	Transport
	at string
}

func (p *panicky) panics(at string) {
	if p.at == at {
		panic("on purpose")
	}
}

func (p *panicky) Read(b []byte) (int, error)    { p.panics("Read"); return p.Transport.Read(b) }
func (p *panicky) Write(b [][]byte) (int, error) { p.panics("Write"); return p.Transport.Write(b) }
func (p *panicky) Held() (bool, int64)           { p.panics("Held"); return p.Transport.Held() }
func (p *panicky) CloseWrite() error             { p.panics("CloseWrite"); return p.Transport.CloseWrite() }
func (p *panicky) Close(reset bool)              { p.Transport.Close(reset); p.panics("Close") }

func TestDetachedConnectionKeepsItsLayers(t *testing.T) {
	for _, pending := range []string{"", "pending, "} {
		r := newRig(t)
		ours, peer := newTCPPair(t)
		p := &script{data: func(*Conn, []byte) int { return 0 }}
		c := r.adopt(ours, &over{opener: p})
		peer.send(string(changed([]byte("kept, "))))
		r.until("input arrives", func() bool { return c.Buffered() > 0 })
		c.PauseRead()
		_, _ = c.WriteString(pending)
		conn, input, err := c.Detach()
		if err != nil {
			t.Fatal(err)
		}
		r.until("the loop has let go", p.ended)
		if string(input) != "kept, " {
			t.Errorf("input %q", input)
		}
		peer.send(string(changed([]byte("new"))))
		buf := make([]byte, 3)
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := io.ReadFull(conn, buf); err != nil || string(buf) != "new" {
			t.Errorf("read %q, %v", buf, err)
		}
		if _, err := conn.Write(bytes.Repeat([]byte("x"), 100_000)); err != nil {
			t.Error(err)
		}
		if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Error(err)
		}
		peer.wait(unix.POLLIN)
		for deadline := time.Now().Add(patience); !peer.all() && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		if want := pending + strings.Repeat("x", 100_000); said(peer) != want || !bytes.HasSuffix(peer.got, []byte{notice}) {
			t.Errorf("the peer got %d bytes, want %d", len(said(peer)), len(want))
		}
		_ = conn.SetReadDeadline(time.Now().Add(-time.Second))
		if _, err := conn.Read(buf); !errors.Is(err, net.ErrClosed) && !isTimeout(err) {
			t.Errorf("read after its deadline: %v", err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

// After Detach one goroutine reads through a layer while another one writes through it.
func TestDetachedConnectionIsReadAndWrittenAtOnce(t *testing.T) {
	r := newRig(t)
	ours, peer := newTCPPair(t)
	c := r.adopt(ours, &script{})
	addBuffering(c)
	peer.send(strings.Repeat("i", 30_000))
	c.PauseRead()
	conn, input, err := c.Detach()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	read := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(conn, make([]byte, 30_000-len(input)))
		read <- err
	}()
	for range 100 {
		if _, err := conn.Write([]byte(strings.Repeat("o", 300))); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
	for deadline := time.Now().Add(patience); len(peer.got) < 30_000 && time.Now().Before(deadline); peer.pull(1 << 20) {
		peer.wait(unix.POLLIN)
	}
	if string(peer.got) != strings.Repeat("o", 30_000) {
		t.Errorf("the peer got %d bytes", len(peer.got))
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func TestAddressesCanBeSet(t *testing.T) {
	r := newRig(t)
	c, _ := r.open(tcpPair, &script{})
	remote := &net.TCPAddr{IP: net.ParseIP("2001:db8::1"), Port: 1}
	local := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 443}
	c.SetAddrs(remote, local)
	if got := c.RemoteAddr().String(); got != remote.String() {
		t.Errorf("RemoteAddr %s, want %s", got, remote)
	}
	if got := c.RemoteAddrPort().String(); got != remote.String() {
		t.Errorf("RemoteAddrPort %s, want %s", got, remote)
	}
	if got := c.LocalAddr().String(); got != local.String() {
		t.Errorf("LocalAddr %s, want %s", got, local)
	}
}

// CloseWrite, then Close: the layer's end is sent once.
func TestLayerEndsItsOutputOnce(t *testing.T) {
	r := newRig(t)
	ends := 0
	c, peer := r.open(unixPair, &script{open: func(c *Conn) {
		_ = c.AddLayer(func(below Transport) Transport { return &endCounter{below, &ends} })
	}})
	c.CloseWrite()
	r.settled()
	c.Close()
	r.settled()
	peer.close()
	r.settled()
	if ends != 1 {
		t.Errorf("ended %d times", ends)
	}
}

type endCounter struct {
	Transport
	ends *int
}

func (l *endCounter) CloseWrite() error {
	*l.ends++
	return l.Transport.CloseWrite()
}
