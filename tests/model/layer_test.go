package model

import (
	"pgregory.net/rapid"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/loop"
)

// layer is the kind of protocol between a listener and the one under test. No promise to
// the latter depends on it.
type layer string

const (
	direct     layer = "direct"
	wrapping   layer = "wrapped"
	hiding     layer = "wrapped without its ReadBuffer"
	handedOver layer = "handed over"
)

func someLayer(t *rapid.T) layer {
	return rapid.SampledFrom([]layer{direct, wrapping, hiding, handedOver}).Draw(t, "layer")
}

func (by layer) over(p eddy.Protocol) eddy.Protocol {
	switch by {
	case wrapping:
		return func(c *eddy.Conn) eddy.Handler { return wrapper{p(c)} }
	case hiding:
		return func(c *eddy.Conn) eddy.Handler { return struct{ eddy.Handler }{p(c)} }
	case handedOver:
		return sniffer{p}.open
	}
	return p
}

// preface precedes the bytes for the protocol to which a sniffer hands over.
const preface = "model"

// sniffer reads the preface and leaves the connection to another protocol.
type sniffer struct{ to eddy.Protocol }

func (s sniffer) open(*eddy.Conn) eddy.Handler { return s }

func (s sniffer) OnData(c *eddy.Conn, in []byte) (used int) {
	if len(in) < len(preface) {
		return 0
	}
	c.SetProtocol(s.to)
	return len(preface)
}

func (sniffer) OnEvent(*eddy.Conn, eddy.Event) (handled bool) { return false }

// wrapper is a handler around another one.
type wrapper struct{ eddy.Handler }

func (w wrapper) ReadBuffer(c *eddy.Conn) []byte {
	if inner, ok := w.Handler.(loop.BufferSupplier); ok {
		return inner.ReadBuffer(c)
	}
	return nil
}
