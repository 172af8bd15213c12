package model

import (
	"io"

	"pgregory.net/rapid"

	"github.com/eddynet/eddy"
)

// layer is the kind of protocol between a listener and the one under test. No promise to
// the latter depends on it.
type layer string

const (
	direct     layer = "direct"
	wrapping   layer = "wrapped"
	handedOver layer = "handed over"
)

func someLayer(t *rapid.T) layer {
	return rapid.SampledFrom([]layer{direct, wrapping, handedOver}).Draw(t, "layer")
}

func (by layer) over(p eddy.Protocol) eddy.Protocol {
	switch by {
	case wrapping:
		return wrapper{p}
	case handedOver:
		return sniffer{p}
	}
	return p
}

// preface precedes the bytes for the protocol to which a sniffer hands over.
const preface = "model"

// sniffer reads the preface and leaves the connection to another protocol.
type sniffer struct{ to eddy.Protocol }

func (sniffer) OnOpen(*eddy.Conn)         {}
func (sniffer) OnClose(*eddy.Conn, error) {}

// Tune has the settings of the other protocol from the start: Become does not change them.
func (s sniffer) Tune(settings *eddy.Settings) error { return tune(s.to, settings) }

func (s sniffer) OnData(c *eddy.Conn, in []byte) (used int) {
	if len(in) < len(preface) {
		return 0
	}
	c.Become(s.to)
	return len(preface)
}

// wrapper forwards all callbacks to a protocol. For those that it does not implement, it
// behaves as a loop does.
type wrapper struct{ inner eddy.Protocol }

func (w wrapper) Bind(l *eddy.Loop) eddy.Protocol {
	if b, ok := w.inner.(eddy.Binder); ok {
		return wrapper{b.Bind(l)}
	}
	return w
}

func (w wrapper) Tune(s *eddy.Settings) error { return tune(w.inner, s) }

func tune(p eddy.Protocol, s *eddy.Settings) error {
	if t, ok := p.(eddy.Tuner); ok {
		return t.Tune(s)
	}
	return nil
}

func (w wrapper) OnOpen(c *eddy.Conn) { w.inner.OnOpen(c) }

func (w wrapper) OnData(c *eddy.Conn, in []byte) (used int) { return w.inner.OnData(c, in) }

func (w wrapper) InputSpace(c *eddy.Conn) []byte {
	if l, ok := w.inner.(eddy.Lender); ok {
		return l.InputSpace(c)
	}
	return nil
}

func (w wrapper) OnFilled(c *eddy.Conn, n int) {
	if l, ok := w.inner.(eddy.Lender); ok {
		l.OnFilled(c, n)
	}
}

func (w wrapper) OnDrain(c *eddy.Conn) {
	if h, ok := w.inner.(eddy.DrainHandler); ok {
		h.OnDrain(c)
	}
}

func (w wrapper) OnTimeout(c *eddy.Conn) {
	if h, ok := w.inner.(eddy.TimeoutHandler); ok {
		h.OnTimeout(c)
		return
	}
	c.Abort(eddy.ErrTimeout)
}

func (w wrapper) OnEOF(c *eddy.Conn) {
	if h, ok := w.inner.(eddy.EOFHandler); ok {
		h.OnEOF(c)
		return
	}
	c.Close()
}

func (w wrapper) OnHangup(c *eddy.Conn) {
	if h, ok := w.inner.(eddy.HangupHandler); ok {
		h.OnHangup(c)
	}
}

func (w wrapper) OnShutdown(c *eddy.Conn) {
	if h, ok := w.inner.(eddy.ShutdownHandler); ok {
		h.OnShutdown(c)
		return
	}
	c.After(c.Settings().DrainGrace, (*eddy.Conn).CloseIdle)
}

func (w wrapper) OnClose(c *eddy.Conn, err error) {
	if _, ok := w.inner.(eddy.EOFHandler); !ok && err == nil && c.EOF() {
		err = io.EOF // the end in OnEOF was the peer's, not ours
	}
	w.inner.OnClose(c, err)
}
