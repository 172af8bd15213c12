package loop

import "io"

// witness is a protocol that passes everything on to another one, and notes the lives
// of its connections. What the other leaves to the loop, it leaves to the loop too.
type witness struct {
	Protocol
	lives map[*Conn]*life
	first *Conn
}

// life is what a connection's protocol was told.
type life struct {
	opened, closed int
	late           int // calls after OnClose, or before OnOpen
	cause          error
}

func newWitness(p Protocol) *witness { return &witness{Protocol: p, lives: map[*Conn]*life{}} }

func (w *witness) Bind(l *Loop) Protocol {
	w.Protocol = bind(w.Protocol, l)
	return w
}

func (w *witness) life(c *Conn) *life {
	if w.lives[c] == nil {
		w.lives[c] = &life{}
		if w.first == nil {
			w.first = c
		}
	}
	return w.lives[c]
}

// called notes a call in the middle of a life.
func (w *witness) called(c *Conn) {
	if l := w.life(c); l.opened != 1 || l.closed != 0 {
		l.late++
	}
}

func (w *witness) OnOpen(c *Conn) {
	w.life(c).opened++
	w.called(c)
	w.Protocol.OnOpen(c)
}

func (w *witness) OnData(c *Conn, in []byte) int {
	w.called(c)
	return w.Protocol.OnData(c, in)
}

func (w *witness) OnClose(c *Conn, err error) {
	w.called(c)
	w.life(c).closed++
	w.life(c).cause = err
	w.Protocol.OnClose(c, err)
}

func (w *witness) OnEOF(c *Conn) {
	w.called(c)
	if h, ok := w.Protocol.(EOFHandler); ok {
		h.OnEOF(c)
		return
	}
	c.finish(io.EOF)
}

func (w *witness) OnTimeout(c *Conn) {
	w.called(c)
	if h, ok := w.Protocol.(TimeoutHandler); ok {
		h.OnTimeout(c)
		return
	}
	c.Abort(ErrTimeout)
}

func (w *witness) OnDrain(c *Conn) {
	w.called(c)
	if h, ok := w.Protocol.(DrainHandler); ok {
		h.OnDrain(c)
	}
}

func (w *witness) OnHangup(c *Conn) {
	w.called(c)
	if h, ok := w.Protocol.(HangupHandler); ok {
		h.OnHangup(c)
	}
}
