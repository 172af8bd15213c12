package loop

// witness wraps a protocol, and notes the lives of its connections.
type witness struct {
	opener
	lives  map[*Conn]*life
	first  *Conn
	faults *faults // that its connections pass through; nil for none
}

// life counts the calls for a connection.
type life struct {
	opened, closed int
	late           int // calls after EventClosed, or before Open
	cause          error
}

func newWitness(p opener) *witness { return &witness{opener: p, lives: map[*Conn]*life{}} }

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

func (w *witness) Open(c *Conn) Handler {
	w.life(c).opened++
	w.called(c)
	if w.faults != nil {
		w.faults.add(c)
	}
	return &observed{w.opener.Open(c), w}
}

// observed is a handler of the other protocol.
type observed struct {
	Handler
	witness *witness
}

func (o *observed) OnData(c *Conn, in []byte) int {
	o.witness.called(c)
	return o.Handler.OnData(c, in)
}

func (o *observed) OnEvent(c *Conn, e Event) bool {
	o.witness.called(c)
	if e == EventClosed {
		o.witness.life(c).closed++
		o.witness.life(c).cause = c.Err()
	}
	return o.Handler.OnEvent(c, e)
}
