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
	lends       bool       // input is read into memory of its own
	first       *eddy.Conn // accepted, and waits for the next; nil if there is none
	joined      chan struct{}

	mu    sync.Mutex
	wrong []string // guarded by mu
}

// oneRead is the size of the largest read of a loop, in bytes.
const oneRead = 64 << 10

// side is one end of a pair.
type side struct {
	relay  *relay
	other  *eddy.Conn // nil while there is none
	paused bool
}

func (r *relay) errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
}

// accepted is the protocol of accepted connections.
func (r *relay) accepted(c *eddy.Conn) eddy.Handler {
	s := r.side(c)
	switch {
	case r.to == "" && r.first == nil:
		r.first = c
	case r.to == "":
		r.join(r.first, c)
		r.first = nil
	default:
		c.Loop().Dial(r.network, r.to, r.layer.over(r.side), patience, func(upstream *eddy.Conn, err error) {
			if err != nil {
				r.errorf("%v", err)
				c.Abort(err)
				return
			}
			r.join(c, upstream)
		})
	}
	return s
}

// side is the protocol of dialled connections.
func (r *relay) side(c *eddy.Conn) eddy.Handler {
	c.EnableFullDuplex()
	c.PauseRead()
	s := &side{relay: r, paused: true}
	c.SetUserData(s)
	if r.lends {
		return &lending{side: s, space: make([]byte, oneRead)}
	}
	return s
}

func (r *relay) join(a, b *eddy.Conn) {
	for from, to := range map[*eddy.Conn]*eddy.Conn{a: b, b: a} {
		if !from.Open() {
			r.errorf("an end has closed before it was joined")
		}
		s := from.UserData().(*side)
		s.other, s.paused = to, false
		from.ResumeRead()
	}
	r.joined <- struct{}{}
}

func (s *side) OnData(c *eddy.Conn, in []byte) (used int) {
	c.SetTimeout(time.Hour)
	if s.paused {
		s.relay.errorf("OnData while reading is paused")
	}
	if _, err := s.other.Write(in); err != nil {
		c.Abort(err)
		return len(in)
	}
	if limit := s.other.Settings().HighWater + oneRead; s.other.Pending() > limit {
		s.relay.errorf("%d bytes pending, want at most %d", s.other.Pending(), limit)
	}
	if s.other.Full() {
		s.paused = true
		c.PauseRead()
	}
	return len(in)
}

func (s *side) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) {
	switch {
	case e == eddy.EventShutdown:
		return true // the pair ends by itself
	case s.other == nil:
	case e == eddy.EventWritable:
		s.other.UserData().(*side).paused = false
		s.other.ResumeRead()
	case e == eddy.EventEOF:
		s.other.CloseWrite()
		return true
	case e == eddy.EventClosed && (c.Err() == nil || c.Err() == io.EOF):
		s.other.Close()
	case e == eddy.EventClosed:
		s.other.Abort(c.Err())
	}
	return false
}

// lending is a side that has input put into memory of its own.
type lending struct {
	*side
	space []byte
}

func (l *lending) ReadBuffer(*eddy.Conn) []byte { return l.space }

// OnData is called after ReadBuffer also when there is no input.
func (l *lending) OnData(c *eddy.Conn, in []byte) (used int) {
	if len(in) == 0 {
		return 0
	}
	return l.side.OnData(c, in)
}
