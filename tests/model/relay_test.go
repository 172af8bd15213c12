package model

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/eddynet/eddy"
)

// relay is a protocol that joins connections in pairs and relays their input, with
// independent backpressure in each direction. It joins an accepted connection with a
// dialled one, or with the next accepted one.
type relay struct {
	network, to string     // of the other side; without an address it joins accepted ones, on one loop
	layer       layer      // over the dialled connection
	first       *eddy.Conn // accepted and not joined yet; or nil
	joined      chan struct{}

	mu    sync.Mutex
	wrong []string // guarded by mu
}

// oneRead is the size of the largest read of a loop, in bytes.
const oneRead = 64 << 10

// side is one end of a pair.
type side struct {
	other  *eddy.Conn // nil until joined
	paused bool
	space  []byte // of a lender
}

func (r *relay) errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

func (r *relay) OnOpen(c *eddy.Conn) {
	c.EnableFullDuplex()
	c.SetState(&side{paused: true})
	c.PauseRead()
	switch {
	case r.to == "" && r.first == nil:
		r.first = c
	case r.to == "":
		r.join(r.first, c)
		r.first = nil
	default:
		c.Loop().Dial(r.network, r.to, r.layer.over(dialled{r}), patience, func(upstream *eddy.Conn, err error) {
			if err != nil {
				r.errorf("%v", err)
				c.Abort(err)
				return
			}
			r.join(c, upstream)
		})
	}
}

func (r *relay) join(a, b *eddy.Conn) {
	for from, to := range map[*eddy.Conn]*eddy.Conn{a: b, b: a} {
		if !from.Open() {
			r.errorf("an end has closed before it was joined")
		}
		s := from.State().(*side)
		s.other, s.paused = to, false
		from.ResumeRead()
	}
	r.joined <- struct{}{}
}

func (r *relay) OnData(c *eddy.Conn, in []byte) (used int) {
	s := c.State().(*side)
	c.SetDeadline(time.Hour)
	if s.paused {
		r.errorf("OnData while reading is paused")
	}
	if _, err := s.other.Write(in); err != nil {
		c.Abort(err)
		return len(in)
	}
	if limit := s.other.Settings().HighWater + oneRead; s.other.Pending() > limit {
		r.errorf("%d bytes pending, want at most %d", s.other.Pending(), limit)
	}
	if s.other.Full() {
		s.paused = true
		c.PauseRead()
	}
	return len(in)
}

func (r *relay) OnDrain(c *eddy.Conn) {
	o := c.State().(*side).other
	o.State().(*side).paused = false
	o.ResumeRead()
}

func (r *relay) OnEOF(c *eddy.Conn) { c.State().(*side).other.CloseWrite() }

// OnShutdown keeps the pair open until it ends by itself.
func (r *relay) OnShutdown(*eddy.Conn) {}

func (r *relay) OnClose(c *eddy.Conn, err error) {
	o := c.State().(*side).other
	switch {
	case o == nil:
	case err == nil || err == io.EOF:
		o.Close()
	default:
		o.Abort(err)
	}
}

// lending is a relay that has input put into memory of its own.
type lending struct{ *relay }

func (lending) InputSpace(c *eddy.Conn) []byte {
	s := c.State().(*side)
	if s.space == nil {
		s.space = make([]byte, oneRead)
	}
	return s.space
}

func (l lending) OnFilled(c *eddy.Conn, n int) {
	if n > 0 {
		l.OnData(c, c.State().(*side).space[:n])
	}
}

// dialled is the protocol of a relay's dialled connections.
type dialled struct{ *relay }

func (d dialled) OnOpen(c *eddy.Conn) {
	c.EnableFullDuplex()
	c.SetState(&side{paused: true})
	c.PauseRead()
}
