package eddytls_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log/slog"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/eddytest"
	"github.com/eddynet/eddy/eddytls"
	"github.com/eddynet/eddy/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// patience bounds every wait of these tests. None of them expects to reach it.
const patience = 30 * time.Second

// authority has issued the certificates of these tests.
var authority = sync.OnceValue(func() *issuer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "eddytls tests"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &issuer{cert, key, pool}
})

type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

// issue returns a certificate for a name, and for 127.0.0.1.
func (i *issuer) issue(name string) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.cert, &key.PublicKey, i.key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

var localhost = sync.OnceValue(func() tls.Certificate { return authority().issue("localhost") })

// serverConfig and clientConfig trust each other.
func serverConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{localhost()}, NextProtos: []string{"http/1.1"}}
}

func clientConfig(version uint16) *tls.Config {
	return &tls.Config{RootCAs: authority().pool, ServerName: "localhost", MinVersion: version, MaxVersion: version}
}

var versions = map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

func eachVersion(t *testing.T, test func(t *testing.T, version uint16)) {
	for name, version := range versions {
		t.Run(name, func(t *testing.T) { test(t, version) })
	}
}

func endpoint(t testing.TB, p eddy.Protocol, o eddytls.Options) *eddytls.Endpoint {
	t.Helper()
	if o.Config == nil {
		o.Config = serverConfig()
	}
	e, err := eddytls.New(p, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// inMemory serves without sockets, and returns a client's connection.
func inMemory(t testing.TB, p eddy.Protocol, o eddytls.Options) (*eddytest.Server, *memory) {
	t.Helper()
	s := eddytest.NewServer(t, endpoint(t, p, o).Open)
	return s, dial(s)
}

func dial(s *eddytest.Server) *memory { return &memory{Conn: s.Dial()} }

// memory is a connection of eddytest as a net.Conn. It sends in pieces of cut bytes.
type memory struct {
	*eddytest.Conn
	cut   int // 0: in one piece
	first int // of the first piece; 0: like the others
	muted bool
	sent  []byte // also while it is muted
}

func (m *memory) Write(p []byte) (n int, err error) {
	m.sent = append(m.sent, p...)
	if m.muted {
		return len(p), nil
	}
	for len(p) > 0 && err == nil {
		size := len(p)
		if m.first > 0 {
			size = min(m.first, size)
			m.first -= size
		} else if m.cut > 0 {
			size = min(m.cut, size)
		}
		var k int
		k, err = m.Conn.Write(p[:size])
		n += k
		p = p[size:]
	}
	return n, err
}

func (m *memory) Close() error                     { m.Conn.Close(); return nil }
func (m *memory) LocalAddr() net.Addr              { return nil }
func (m *memory) RemoteAddr() net.Addr             { return nil }
func (m *memory) SetDeadline(time.Time) error      { return nil }
func (m *memory) SetReadDeadline(time.Time) error  { return nil }
func (m *memory) SetWriteDeadline(time.Time) error { return nil }

// script is a protocol that does as told; by default it sends back what it gets.
type script struct {
	open   func(c *eddy.Conn)
	data   func(c *eddy.Conn, in []byte) int
	event  func(c *eddy.Conn, e eddy.Event) bool
	got    []byte
	events []eddy.Event
	err    error // when closed
	state  *tls.ConnectionState
	conn   *eddy.Conn
}

func (s *script) Open(c *eddy.Conn) eddy.Handler {
	s.conn, s.state = c, eddytls.State(c)
	if s.open != nil {
		s.open(c)
	}
	return s
}

func (s *script) OnData(c *eddy.Conn, in []byte) int {
	s.got = append(s.got, in...)
	if s.data != nil {
		return s.data(c, in)
	}
	_, _ = c.Write(in)
	return len(in)
}

func (s *script) OnEvent(c *eddy.Conn, e eddy.Event) bool {
	s.events = append(s.events, e)
	if e == eddy.EventClosed {
		s.err = c.Err()
	}
	return s.event != nil && s.event(c, e)
}

// listening is an engine with sockets.
type listening struct {
	engine *eddy.Engine
	addr   string
	stop   func() // drains, and waits
}

func listen(t testing.TB, p eddy.Protocol, o eddy.Options) *listening {
	t.Helper()
	if o.Loops == 0 {
		o.Loops = 2
	}
	o.DrainGrace, o.DrainTimeout = 10*time.Millisecond, patience
	o.Logger = slog.New(slog.DiscardHandler)
	engine, err := eddy.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := engine.Listen("tcp", "127.0.0.1:0", p)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := await(t, "the end of the server", ended); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return &listening{engine, ln.Addr().String(), stop}
}

// connect makes a connection with a deadline.
func (l *listening) connect(t testing.TB) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", l.addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

func await[T any](t testing.TB, name string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", name)
	}
	panic("unreachable")
}

func expect[T comparable](t testing.TB, name string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", name, got, want)
	}
}

// exchange sends text, and reads as much.
func exchange(t testing.TB, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	reads(t, conn, text)
}

func reads(t testing.TB, conn io.Reader, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != text {
		t.Fatalf("got %.100q, %v, want %.100q", got, err, text)
	}
}

func pattern(n int) string {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i*7 + i>>8)
	}
	return string(p)
}
