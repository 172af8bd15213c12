package http1_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/eddytest"
	"github.com/eddynet/eddy/eddytls"
	"github.com/eddynet/eddy/http1"
)

// certificate is made for one run of the tests. Session tickets would come after the
// handshake, where a test expects nothing.
var certificate = sync.OnceValues(func() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, SessionTicketsDisabled: true}, nil
})

func underTLS(t testing.TB, p eddy.Protocol) eddy.Protocol {
	t.Helper()
	config, err := certificate()
	if err != nil {
		t.Fatal(err)
	}
	e, err := eddytls.New(p, eddytls.Options{Config: config})
	if err != nil {
		t.Fatal(err)
	}
	return e.Open
}

// secure is a client's end of a connection with TLS.
type secure struct {
	*tls.Conn
	belowTLS connection
}

func newSecure(server *eddytest.Server, conn connection) (connection, error) {
	config := &tls.Config{InsecureSkipVerify: true}
	if server == nil {
		s := &secure{tls.Client(conn.(net.Conn), config), conn}
		return s, s.Handshake()
	}
	memory := conn.(*eddytest.Conn)
	s := &secure{tls.Client(asNetConn{memory}, config), conn}
	err := s.Handshake()
	server.Wait(func() bool { return eddytls.State(memory.Server()) != nil })
	return s, err
}

// CloseWrite sends close_notify, and FIN.
func (s *secure) CloseWrite() error {
	if err := s.Conn.CloseWrite(); err != nil {
		return err
	}
	return s.belowTLS.CloseWrite()
}

// asNetConn is what crypto/tls needs of one.
type asNetConn struct{ *eddytest.Conn }

func (c asNetConn) Close() error                   { c.Conn.Close(); return nil }
func (asNetConn) LocalAddr() net.Addr              { return nil }
func (asNetConn) RemoteAddr() net.Addr             { return nil }
func (asNetConn) SetDeadline(time.Time) error      { return nil }
func (asNetConn) SetReadDeadline(time.Time) error  { return nil }
func (asNetConn) SetWriteDeadline(time.Time) error { return nil }

func TestRequestTellsOfTLS(t *testing.T) {
	h := func(w *http1.Response, r *http1.Request) {
		if s := r.TLS(); s != nil {
			w.WriteString(tls.VersionName(s.Version))
		} else {
			w.WriteString("none")
		}
	}
	for _, v := range []via{{memory: true}, {memory: true, layered: true}} {
		c := serveVia(t, v, h, http1.Options{}, eddy.Options{}).dial()
		c.send(get("/"))
		expect(t, "TLS", string(c.answer("GET").body), "none")
	}
	c := serveVia(t, via{memory: true, tls: true}, h, http1.Options{}, eddy.Options{}).dial()
	c.send(get("/"))
	expect(t, "TLS", string(c.answer("GET").body), "TLS 1.3")
}
