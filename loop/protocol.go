package loop

// Protocol is what a listener's connections speak. Its methods run on the
// connection's own loop and must not block: while one runs, all other
// connections of that loop wait. One value serves all connections of a listener,
// and two loops call it at the same time: what it changes belongs into Conn.SetState,
// into an instance of each loop (Binder), or behind a lock.
//
// A Protocol may implement more: InputSpace, OnDrain, OnTimeout, OnEOF, OnHangup, OnShutdown,
// Bind and Tune, each described at its interface.
type Protocol interface {
	// OnOpen is called once, before anything else.
	OnOpen(c *Conn)
	// OnData is called when input has come. in is valid until it returns, and is
	// never empty. It returns how many bytes of in are used; the rest is kept and
	// comes back with more behind it, up to Options.MaxInput. It may change bytes
	// that it uses, to unmask them in place for example; those it leaves unused come
	// back as it left them. A number below 0 or above len(in) aborts the connection.
	OnData(c *Conn, in []byte) (used int)
	// OnClose is called once, after everything else. err is nil after Close,
	// io.EOF when the peer closed first, and otherwise the cause.
	OnClose(c *Conn, err error)
}

// Lender is an optional part of a Protocol that gathers much input: it lends the loop the
// memory where that belongs, and spares it a copy.
type Lender interface {
	// InputSpace is called before the connection is read, unless input is kept that
	// was not used. What has come is put into the slice it returns, as much as fits, up
	// to 256 KiB; nil leaves it to OnData. The memory is the loop's until OnFilled, which
	// follows at once.
	InputSpace(c *Conn) []byte
	// OnFilled is called in place of OnData: the first n bytes of the space are input,
	// which counts as used. n is 0 if nothing has come after all.
	OnFilled(c *Conn, n int)
}

// DrainHandler is an optional part of a Protocol.
type DrainHandler interface {
	// OnDrain is called when the output, having risen above the high-water mark,
	// has fallen to the low one: there is room again.
	OnDrain(c *Conn)
}

// TimeoutHandler is an optional part of a Protocol. Without it, a connection is
// aborted with ErrTimeout when its deadline passes.
type TimeoutHandler interface {
	// OnTimeout is called when the deadline has passed. It should close the connection
	// or set another: one of SetDeadline is unset before the call. A protocol that has
	// never set one is called again after every Settings.IdleTimeout without input.
	OnTimeout(c *Conn)
}

// EOFHandler is an optional part of a Protocol. Without it, a connection whose
// peer has stopped sending is closed once its output is flushed.
type EOFHandler interface {
	// OnEOF is called once, when the peer has stopped sending and everything it
	// sent has been read; input that OnData has not used is still kept.
	OnEOF(c *Conn)
}

// HangupHandler is an optional part of a Protocol.
type HangupHandler interface {
	// OnHangup is called at most once, when the peer stops sending while the
	// connection is not being read (PauseRead, or output above its mark).
	OnHangup(c *Conn)
}

// ShutdownHandler is an optional part of a Protocol. Without it, a connection is
// closed when a drain's grace is over.
type ShutdownHandler interface {
	// OnShutdown is called when the engine begins to drain. The protocol should
	// finish what it is doing and close the connection.
	OnShutdown(c *Conn)
}

// Binder is an optional part of a Protocol that keeps something for each loop: a
// cache or a free list that needs no lock.
type Binder interface {
	// Bind is called on the loop, once for each loop a listener has, and for each
	// connection that is dialled or becomes this protocol. It returns the Protocol
	// that serves connections there: what is made once for each loop is to be kept.
	// If it returns nil or panics, the connections are aborted.
	Bind(l *Loop) Protocol
}

// Tuner is an optional part of a Protocol that has limits and deadlines of its own.
type Tuner interface {
	// Tune may change the settings of a listener's connections, which come filled
	// in from the engine's options. It is called once for each listener, on the
	// goroutine that listens, and an error of it is that of Listen.
	Tune(s *Settings) error
}

// Refuser is an optional part of a Protocol. Without it, a connection beyond
// Options.MaxConns that Options.MaxRefusals admits is closed at once.
type Refuser interface {
	// Refusing returns what is spoken on such connections: it should tell the client
	// and close. Without it, as with nil, they are closed at once. It is called once for each loop a listener has, on the loop, of the
	// instance that Bind returned.
	Refusing() Protocol
}

// refusing closes connections beyond the limit.
type refusing struct{}

func (refusing) OnOpen(c *Conn)           { c.Close() }
func (refusing) OnData(*Conn, []byte) int { return 0 }
func (refusing) OnClose(*Conn, error)     {}

// unbound serves the connections of a protocol that is nil, or whose Bind has returned
// nil or panicked.
type unbound struct{}

func (unbound) OnOpen(c *Conn)           { c.Abort(errUnbound) }
func (unbound) OnData(*Conn, []byte) int { return 0 }
func (unbound) OnClose(*Conn, error)     {}

// bind never returns nil.
func bind(p Protocol, l *Loop) Protocol {
	if b, ok := p.(Binder); ok {
		p = b.Bind(l)
	}
	if p == nil {
		return unbound{}
	}
	return p
}
