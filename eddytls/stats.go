package eddytls

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

// Stats counts the handshakes of an Endpoint since the start. InProgress and Waiting are
// as of now, everything else only grows.
type Stats struct {
	Handshakes uint64        // done
	Resumed    uint64        // of these
	Duration   time.Duration // of these, from the complete ClientHello to the end, added up
	InProgress int           // handshakes that have a goroutine
	Waiting    int           // with a complete ClientHello, beyond Options.MaxHandshakes

	Timeouts     uint64 // not done within Options.HandshakeTimeout
	Disconnected uint64 // the peer has disconnected, or the engine has ended
	PlainHTTP    uint64 // requests of plain HTTP: 400
	NotTLS       uint64 // other input that is not TLS
	Refused      uint64 // the peer has sent an alert: it does not trust the certificate, for example
	Certificates uint64 // the peer's certificate is not valid
	Callbacks    uint64 // a callback of the tls.Config returned an error, or panicked
	Protocol     uint64 // all others: no common version, a missing certificate, invalid messages
}

// failure is a class of failed handshakes.
type failure uint8

const (
	success failure = iota
	timedOut
	disconnected
	plainHTTP
	notTLS
	refused
	badCertificate
	badCallback
	badProtocol
)

func (s *Stats) add(took time.Duration, resumed bool, f failure) {
	switch f {
	case success:
		s.Handshakes++
		s.Duration += took
		if resumed {
			s.Resumed++
		}
	case timedOut:
		s.Timeouts++
	case disconnected:
		s.Disconnected++
	case plainHTTP:
		s.PlainHTTP++
	case notTLS:
		s.NotTLS++
	case refused:
		s.Refused++
	case badCertificate:
		s.Certificates++
	case badCallback:
		s.Callbacks++
	case badProtocol:
		s.Protocol++
	}
}

// classify returns the class of an error of crypto/tls, or of the handshake's end.
func classify(err error) failure {
	var (
		callback callbackError
		record   tls.RecordHeaderError
		invalid  *tls.CertificateVerificationError
		op       *net.OpError
	)
	switch {
	case err == nil:
		return success
	case errors.Is(err, errTimeout):
		return timedOut
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return disconnected
	case errors.As(err, &callback), err == errPanic:
		return badCallback
	case errors.As(err, &record):
		return notTLS
	case errors.As(err, &invalid):
		return badCertificate
	case errors.As(err, &op) && op.Op == "remote error":
		return refused
	}
	return badProtocol
}
