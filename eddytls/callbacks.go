package eddytls

import (
	"crypto/tls"
	"crypto/x509"
)

// callbackError is an error of a callback.
type callbackError struct{ error }

func (e callbackError) Unwrap() error { return e.error }

func ofCallback(err error) error {
	if err == nil {
		return nil
	}
	return callbackError{err}
}

// around returns a copy of the configuration whose callbacks do not count as computing.
// All of them are called on goroutines of handshakes, which have a turn.
func (a *admissions) around(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.GetCertificate = outside1(a, c.GetCertificate)
	c.GetClientCertificate = outside1(a, c.GetClientCertificate)
	c.GetEncryptedClientHelloKeys = outside1(a, c.GetEncryptedClientHelloKeys)
	c.GetConfigForClient = outside1(a, c.GetConfigForClient)
	if get := c.GetConfigForClient; get != nil {
		c.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			own, err := get(h)
			if own != nil {
				own = a.around(own)
			}
			return own, err
		}
	}
	if verify := c.VerifyPeerCertificate; verify != nil {
		c.VerifyPeerCertificate = func(raw [][]byte, chains [][]*x509.Certificate) (err error) {
			a.outside(func() { err = ofCallback(verify(raw, chains)) })
			return err
		}
	}
	c.VerifyConnection = outside0(a, c.VerifyConnection)
	c.EncryptedClientHelloRejectionVerify = outside0(a, c.EncryptedClientHelloRejectionVerify)
	if wrap := c.WrapSession; wrap != nil {
		c.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) (ticket []byte, err error) {
			a.outside(func() { ticket, err = wrap(cs, ss); err = ofCallback(err) })
			return ticket, err
		}
	}
	if unwrap := c.UnwrapSession; unwrap != nil {
		c.UnwrapSession = func(identity []byte, cs tls.ConnectionState) (ss *tls.SessionState, err error) {
			a.outside(func() { ss, err = unwrap(identity, cs); err = ofCallback(err) })
			return ss, err
		}
	}
	return c
}

func outside0[A any](a *admissions, f func(A) error) func(A) error {
	if f == nil {
		return nil
	}
	return func(x A) (err error) {
		a.outside(func() { err = ofCallback(f(x)) })
		return err
	}
}

func outside1[A, B any](a *admissions, f func(A) (B, error)) func(A) (B, error) {
	if f == nil {
		return nil
	}
	return func(x A) (y B, err error) {
		a.outside(func() { y, err = f(x); err = ofCallback(err) })
		return y, err
	}
}
