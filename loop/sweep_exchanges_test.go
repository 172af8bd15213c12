package loop

import (
	"bytes"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
)

func TestFaultsInAnEcho(t *testing.T) {
	send := []string{"hello", string(pattern(3000)), string(pattern(20_000))}
	sweep(t, &exchange{
		network:  "tcp4",
		protocol: func(*testing.T) opener { return echo{} },
		send:     send,
		want:     bytes.Join(toBytes(send), nil),
	})
}

// The client reads slowly: output waits, and reading pauses and resumes.
func TestFaultsUnderBackpressure(t *testing.T) {
	content := pattern(60_000)
	sweep(t, &exchange{
		network:  "unix",
		settings: func(s *Settings) { s.HighWater, s.LowWater = 8<<10, 4<<10 },
		protocol: func(t *testing.T) opener {
			return &script{
				open: smallBuffer(t),
				data: func(c *Conn, in []byte) int { return echo{}.OnData(c, in[:min(len(in), 5000)]) + again(c) },
			}
		},
		send: []string{string(content)},
		slow: 3000,
		want: content,
	})
}

// smallBuffer has the kernel take little at a time.
func smallBuffer(t *testing.T) func(*Conn) {
	return func(c *Conn) {
		if err := unix.SetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_SNDBUF, 4096); err != nil {
			t.Error(err)
		}
	}
}

// again has OnData called once more.
func again(c *Conn) int {
	c.Redeliver()
	return 0
}

// Output of every kind, and a close that lets the client go on sending.
func TestFaultsInALargeAnswer(t *testing.T) {
	file, owned := pattern(150_000), pattern(100_000)
	want := bytes.Join([][]byte{[]byte("head"), owned, []byte("between"), file, []byte("tail")}, nil)
	sweep(t, &exchange{
		network:  "tcp4",
		settings: func(s *Settings) { s.LingerTimeout = time.Second },
		protocol: func(t *testing.T) opener {
			p, released := &script{open: smallBuffer(t)}, 0
			p.data = func(c *Conn, in []byte) int {
				if len(in) < 2 {
					return 0
				}
				_, _ = c.WriteString("head")
				_ = c.WriteOwned(owned, func() { released++ })
				_, _ = c.WriteString("between")
				_ = c.SendFile(tempFile(t, file), 0, int64(len(file)))
				_, _ = c.WriteString("tail")
				c.Close()
				released--
				return len(in)
			}
			t.Cleanup(func() {
				if released != 0 {
					t.Errorf("released %+d times too often", released)
				}
			})
			return p
		},
		send: []string{"g", "o", "and more", string(pattern(10_000))},
		want: want,
	})
}

// Half a connection: our end comes first, what the client sends still arrives.
func TestFaultsAfterCloseWrite(t *testing.T) {
	p := &script{}
	sweep(t, &exchange{
		network: "tcp4",
		protocol: func(*testing.T) opener {
			*p = script{open: func(c *Conn) {
				_, _ = c.WriteString("greeting")
				c.CloseWrite()
			}}
			return p
		},
		send:  []string{"hello", string(pattern(5000)), "bye"},
		heard: func() []byte { return p.input },
		want:  []byte("greeting"),
	})
}

// The peer has closed a Unix socket whose input is still to be read: the poller must
// be kept quiet meanwhile.
func TestFaultsBehindAHangup(t *testing.T) {
	p := &script{}
	sweep(t, &exchange{
		network: "unix",
		protocol: func(*testing.T) opener {
			*p = script{data: func(c *Conn, in []byte) int {
				c.PauseRead()
				c.After(20*time.Millisecond, (*Conn).ResumeRead)
				return len(in)
			}}
			return p
		},
		send:   []string{"hello", string(pattern(5000)), "bye"},
		heard:  func() []byte { return p.input },
		leaves: true,
	})
}

// A relay between the client and an echo, each direction with backpressure of its own.
func TestFaultsInARelay(t *testing.T) {
	content := pattern(60_000)
	sweep(t, &exchange{
		network:  "tcp4",
		settings: func(s *Settings) { s.HighWater, s.LowWater = 8<<10, 4<<10 },
		protocol: func(t *testing.T) opener { return relaying{t, map[*Conn]*Conn{}} },
		send:     []string{string(content[:100]), string(content[100:])},
		slow:     5000,
		want:     content,
	})
}

// relaying joins a connection with one to an echo on the same loop.
type relaying struct {
	t     *testing.T
	other map[*Conn]*Conn
}

func (p relaying) Open(c *Conn) Handler {
	c.EnableFullDuplex()
	if len(p.other) > 0 {
		return p // the other side
	}
	p.other[c] = nil
	c.PauseRead()
	_ = c.loop.Post(func() { p.join(c) })
	return p
}

func (p relaying) join(c *Conn) {
	if !c.Open() {
		return
	}
	near, far := newUnixPair(p.t)
	l := c.loop
	open := func(s *socket, p opener) *Conn {
		l.limit.served.acquire()
		s.buffers(4096, 4096)
		o := l.newConn(s.release(), sockets.Addr{})
		o.settings = c.settings
		l.open(o, p.Open, &l.count.Dialled)
		return o
	}
	open(far, echo{})
	o := open(near, p)
	p.other[c], p.other[o] = o, c
	c.ResumeRead()
}

func (p relaying) OnData(c *Conn, in []byte) int {
	o := p.other[c]
	_, _ = o.Write(in)
	if o.Full() {
		c.PauseRead()
	}
	return len(in)
}

func (p relaying) OnEvent(c *Conn, e Event) bool {
	switch e {
	case EventWritable:
		p.other[c].ResumeRead()
	case EventEOF:
		p.other[c].CloseWrite()
	case EventClosed:
		p.closed(c, c.Err())
	default:
		return false
	}
	return true
}

func (p relaying) closed(c *Conn, err error) {
	o := p.other[c]
	delete(p.other, c)
	switch {
	case o == nil:
	case err == nil:
		o.Close()
	default:
		o.Abort(err)
	}
}

// The peer resets while the connection is not read: the loop asks the socket why.
func TestFaultsAtAReset(t *testing.T) {
	sweep(t, &exchange{
		network: "tcp4",
		protocol: func(*testing.T) opener {
			return &script{data: func(c *Conn, in []byte) int {
				c.PauseRead()
				return len(in)
			}}
		},
		send:   []string{"hello"},
		resets: true,
	})
}
