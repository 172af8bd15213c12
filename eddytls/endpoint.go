package eddytls

import (
	"crypto/tls"

	"github.com/eddynet/eddy/loop"
)

// Endpoint is TLS around a protocol: pass its Open to Engine.Listen, or, for one of
// NewClient, to Engine.Dial. Any goroutine, except for Open.
type Endpoint struct {
	protocol   loop.Protocol
	options    Options
	config     *tls.Config // whose callbacks give their turn back
	client     bool
	admissions admissions
}

// New returns the server's side of TLS around p. The error names an invalid field of the
// options.
func New(p loop.Protocol, options Options) (*Endpoint, error) {
	e, err := newEndpoint(p, options)
	if err != nil {
		return nil, err
	}
	if c := options.Config; len(c.Certificates) == 0 && c.GetCertificate == nil && c.GetConfigForClient == nil {
		return nil, errNoCertificate
	}
	return e, nil
}

// NewClient is New for the client's side: connections of Dial.
func NewClient(p loop.Protocol, options Options) (*Endpoint, error) {
	e, err := newEndpoint(p, options)
	if err != nil {
		return nil, err
	}
	if c := options.Config; c.ServerName == "" && !c.InsecureSkipVerify {
		return nil, errNoServerName
	}
	e.client = true
	return e, nil
}

func newEndpoint(p loop.Protocol, options Options) (*Endpoint, error) {
	if p == nil {
		return nil, errNoProtocol
	}
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	e := &Endpoint{protocol: p, options: options}
	e.admissions.begin(options.MaxHandshakes, options.MaxComputing)
	e.config = e.admissions.around(options.Config)
	return e, nil
}

// SetSessionTicketKeys replaces the keys of session tickets, of which the first one is
// used for new tickets: tls.Config.SetSessionTicketKeys. Processes that share an address
// need the same keys for resumption. Any goroutine.
func (e *Endpoint) SetSessionTicketKeys(keys [][32]byte) { e.config.SetSessionTicketKeys(keys) }

// Stats is a copy of the counters. Any goroutine.
func (e *Endpoint) Stats() Stats { return e.admissions.stats() }

// Open is the loop.Protocol of the endpoint. Loop only.
func (e *Endpoint) Open(c *loop.Conn) loop.Handler {
	h := newHandshake(e, c)
	err := c.AddLayer(func(below loop.Transport) loop.Transport {
		h.layer = &layer{Transport: below, conn: c, ref: c.Ref(), handshake: h}
		return h.layer
	})
	if err != nil {
		c.Abort(err)
		return nil
	}
	c.SetTimeout(e.options.HandshakeTimeout)
	if e.client {
		h.start(c)
	}
	return h
}

// chosen is the protocol of the negotiated name.
func (e *Endpoint) chosen(name string) loop.Protocol {
	if p := e.options.Protocols[name]; p != nil {
		return p
	}
	return e.protocol
}

// State returns the state of the TLS layer of a connection, or nil if it has none or the
// handshake is not done: protocols are opened after it. All calls for one connection
// return the same pointer: do not change it. Loop only.
func State(c *loop.Conn) *tls.ConnectionState {
	for t := range c.Layers() {
		if l, ok := t.(*layer); ok {
			return l.ConnectionState()
		}
	}
	return nil
}
