package eddytls

import (
	"crypto/tls"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/eddynet/eddy/internal/defaults"
	"github.com/eddynet/eddy/loop"
)

// Options configures an Endpoint. A zero field has the default given in its comment. A
// negative value is an error of New.
type Options struct {
	// Config is that of crypto/tls, of which a copy is used. Its callbacks run on goroutines
	// of handshakes: they may block, and need a deadline of their own. A server needs
	// Certificates, GetCertificate or GetConfigForClient; a client needs ServerName or
	// InsecureSkipVerify. NextProtos are the names of ALPN, the preferred one first.
	Config *tls.Config
	// Protocols are the protocols of names in Config.NextProtos (ALPN, RFC 7301). A
	// connection that has negotiated another name, or none, gets the protocol of New.
	// Default: none.
	Protocols map[string]loop.Protocol
	// HandshakeTimeout limits the time from the opening of the connection to the end of the
	// handshake. Default: 10 s.
	HandshakeTimeout time.Duration
	// MaxHandshakes is the number of handshakes that have a goroutine, some 30 KB of
	// memory each. Others wait for their turn, each with its ClientHello. Default: 4096.
	MaxHandshakes int
	// MaxComputing is the number of handshakes that compute at the same time. More of
	// them finish handshakes earlier, at the cost of the loops. Default: half of
	// GOMAXPROCS, and at least 1.
	MaxComputing int
}

func (o Options) withDefaults() (Options, error) {
	d := defaults.Of("eddytls: Options")
	defaults.Set(d, "HandshakeTimeout", &o.HandshakeTimeout, 10*time.Second)
	defaults.Set(d, "MaxHandshakes", &o.MaxHandshakes, 4096)
	defaults.Set(d, "MaxComputing", &o.MaxComputing, max(1, runtime.GOMAXPROCS(0)/2))
	if err := d.Err(); err != nil {
		return o, err
	}
	if o.Config == nil {
		return o, errNoConfig
	}
	for name := range o.Protocols {
		if !slices.Contains(o.Config.NextProtos, name) {
			return o, fmt.Errorf("eddytls: Options.Protocols has %q, which is not in Config.NextProtos: add it there", name)
		}
	}
	if o.Config.Renegotiation != tls.RenegotiateNever {
		return o, errRenegotiation
	}
	return o, nil
}

var (
	errNoProtocol    = errors.New("eddytls: New needs a protocol: it was nil")
	errNoConfig      = errors.New("eddytls: Options.Config is nil")
	errNoCertificate = errors.New("eddytls: a server needs Certificates, GetCertificate or GetConfigForClient in Options.Config")
	errNoServerName  = errors.New("eddytls: a client needs ServerName or InsecureSkipVerify in Options.Config")
	errRenegotiation = errors.New("eddytls: Config.Renegotiation must be RenegotiateNever")
)
