package eddytls_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/eddytest"
	"github.com/eddynet/eddy/eddytls"
)

func TestHandshakeAndEcho(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		p := &script{}
		_, conn := inMemory(t, p.Open, eddytls.Options{})
		client := tls.Client(conn, clientConfig(version))
		exchange(t, client, "hello")
		exchange(t, client, pattern(1<<20))
		if p.state == nil || p.state.Version != version || !p.state.HandshakeComplete {
			t.Errorf("state %+v", p.state)
		}
		expect(t, "CloseWrite", client.CloseWrite(), nil)
		if n, err := client.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("at the end: %d bytes, %v", n, err)
		}
		conn.Close()
		if closed, reset := conn.Closed(); !closed || reset {
			t.Errorf("closed %v, reset %v", closed, reset)
		}
		expect(t, "cause", p.err, io.EOF)
	})
}

// Each byte of the handshake, and of the first records, is the end of a piece once.
func TestHandshakeCutAtEveryByte(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		_, whole := inMemory(t, (&script{}).Open, eddytls.Options{})
		exchange(t, tls.Client(whole, clientConfig(version)), "hello")
		step := 1
		if testing.Short() {
			step = 17
		}
		for first := 1; first < len(whole.sent); first += step {
			_, conn := inMemory(t, (&script{}).Open, eddytls.Options{})
			conn.first = first
			exchange(t, tls.Client(conn, clientConfig(version)), "hello")
		}
		for _, cut := range []int{1, 7, 1000} {
			_, conn := inMemory(t, (&script{}).Open, eddytls.Options{})
			conn.cut = cut
			client := tls.Client(conn, clientConfig(version))
			exchange(t, client, "hello")
			exchange(t, client, pattern(40_000))
		}
	})
}

// The client sends its Finished, a request and the end in one piece: crypto/tls may have
// read all of it with the handshake.
func TestRequestTogetherWithFinished(t *testing.T) {
	p := &script{}
	_, conn := inMemory(t, p.Open, eddytls.Options{})
	held := &holding{memory: conn}
	client := tls.Client(held, clientConfig(tls.VersionTLS13))
	expect(t, "handshake", client.Handshake(), nil)
	_, _ = io.WriteString(client, "request")
	expect(t, "CloseWrite", client.CloseWrite(), nil)
	expect(t, "release", held.release(), nil)
	_ = conn.CloseWrite()
	reads(t, client, "request")
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
}

// holding holds what is written after the first flight.
type holding struct {
	*memory
	flights int
	held    bytes.Buffer
}

func (h *holding) Write(p []byte) (int, error) {
	if h.flights++; h.flights == 1 {
		return h.memory.Write(p)
	}
	return h.held.Write(p)
}

func (h *holding) release() error {
	_, err := h.memory.Write(h.held.Bytes())
	return err
}

func TestResumption(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		p := &script{}
		e := endpoint(t, p.Open, eddytls.Options{})
		s := eddytest.NewServer(t, e.Open)
		config := clientConfig(version)
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		for i := range 3 {
			client := tls.Client(dial(s), config)
			exchange(t, client, "hello")
			expect(t, "resumed", client.ConnectionState().DidResume, i > 0)
			expect(t, "resumed, for the server", p.state.DidResume, i > 0)
			client.Close()
		}
		if n := e.Stats(); n.Handshakes != 3 || n.Resumed != 2 || n.Duration <= 0 || n.InProgress != 0 {
			t.Errorf("%+v", n)
		}
	})
}

// A configuration for each client does not end resumption, although its callbacks are
// wrapped each time.
func TestResumptionWithAConfigurationForEachClient(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		own, config := serverConfig(), serverConfig()
		config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return own, nil }
		e := endpoint(t, (&script{}).Open, eddytls.Options{Config: config})
		s := eddytest.NewServer(t, e.Open)
		client := clientConfig(version)
		client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		for i := range 2 {
			conn := tls.Client(dial(s), client)
			exchange(t, conn, "hello")
			expect(t, "resumed", conn.ConnectionState().DidResume, i > 0)
		}
	})
}

// Two processes with the same keys resume each other's sessions.
func TestResumptionWithSharedKeys(t *testing.T) {
	config := clientConfig(tls.VersionTLS13)
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for i := range 2 {
		e := endpoint(t, (&script{}).Open, eddytls.Options{})
		e.SetSessionTicketKeys([][32]byte{{1, 2, 3}})
		client := tls.Client(dial(eddytest.NewServer(t, e.Open)), config)
		exchange(t, client, "hello")
		expect(t, "resumed", client.ConnectionState().DidResume, i > 0)
	}
}

func TestALPNChoosesTheProtocol(t *testing.T) {
	answers := func(text string) eddy.Protocol {
		return (&script{data: func(c *eddy.Conn, in []byte) int { _, _ = c.WriteString(text); return len(in) }}).Open
	}
	config := serverConfig()
	config.NextProtos = []string{"b", "a", "c"}
	e := endpoint(t, answers("default"), eddytls.Options{Config: config, Protocols: map[string]eddy.Protocol{"a": answers("of a"), "b": answers("of b")}})
	s := eddytest.NewServer(t, e.Open)
	for _, row := range []struct {
		offer []string
		want  string
	}{{nil, "default"}, {[]string{"a"}, "of a"}, {[]string{"a", "b"}, "of b"}, {[]string{"c"}, "default"}} {
		config := clientConfig(tls.VersionTLS13)
		config.NextProtos = row.offer
		client := tls.Client(dial(s), config)
		_, _ = io.WriteString(client, "?")
		reads(t, client, row.want)
	}
	config = clientConfig(tls.VersionTLS13)
	config.NextProtos = []string{"other"}
	if err := tls.Client(dial(s), config).Handshake(); err == nil || !strings.Contains(err.Error(), "no application protocol") {
		t.Error(err)
	}
}

func TestServerNameSelectsTheCertificate(t *testing.T) {
	certs := map[string]tls.Certificate{"a.test": authority().issue("a.test"), "b.test": authority().issue("b.test")}
	config := &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if h.Conn.RemoteAddr() == nil || h.Conn.LocalAddr() == nil {
			t.Error("no addresses")
		}
		cert, ok := certs[h.ServerName]
		if !ok {
			return nil, errors.New("no such host")
		}
		return &cert, nil
	}}
	e := endpoint(t, (&script{}).Open, eddytls.Options{Config: config})
	s := eddytest.NewServer(t, e.Open)
	for name := range certs {
		config := clientConfig(tls.VersionTLS13)
		config.ServerName = name
		exchange(t, tls.Client(dial(s), config), "hello")
	}
	if err := tls.Client(dial(s), clientConfig(tls.VersionTLS13)).Handshake(); err == nil {
		t.Error("a name without a certificate was served")
	}
	expect(t, "errors of callbacks", e.Stats().Callbacks, 1)
}

func TestClientCertificates(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		config := serverConfig()
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, authority().pool
		var verified int
		config.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { verified++; return nil }
		p := &script{}
		e := endpoint(t, p.Open, eddytls.Options{Config: config})
		s := eddytest.NewServer(t, e.Open)
		with := clientConfig(version)
		with.Certificates = []tls.Certificate{authority().issue("someone")}
		exchange(t, tls.Client(dial(s), with), "hello")
		if got := p.state.PeerCertificates[0].Subject.CommonName; got != "someone" || verified != 1 {
			t.Errorf("the client is %q, verified %d times", got, verified)
		}
		client := tls.Client(dial(s), clientConfig(version))
		err := client.Handshake()
		if err == nil { // in TLS 1.3 the client is done first
			_, err = client.Read(make([]byte, 1))
		}
		if err == nil || !strings.Contains(err.Error(), "certificate") && !strings.Contains(err.Error(), "handshake failure") {
			t.Errorf("without a certificate: %v", err)
		}
	})
}

func TestStalledHandshakesEndAtTheirDeadline(t *testing.T) {
	for name, sent := range map[string]string{"nothing": "", "a part of a hello": "\x16\x03\x01", "a hello": helloOf(clientConfig(tls.VersionTLS13))} {
		t.Run(name, func(t *testing.T) {
			e := endpoint(t, (&script{}).Open, eddytls.Options{HandshakeTimeout: time.Second})
			s := eddytest.NewServer(t, e.Open)
			c := s.Dial()
			c.Send(sent)
			if len(sent) > 100 {
				s.Wait(func() bool { return c.Received() != "" })
			}
			s.Advance(time.Second - time.Millisecond)
			if closed, _ := c.Closed(); closed {
				t.Fatal("closed too early")
			}
			s.Advance(2 * time.Millisecond)
			if closed, reset := c.Closed(); !closed || !reset {
				t.Errorf("closed %v, reset %v", closed, reset)
			}
			s.Wait(func() bool { n := e.Stats(); return n.Timeouts == 1 && n.InProgress == 0 })
		})
	}
}

// A client that goes away ends its handshake, and its goroutine.
func TestDisconnectedDuringTheHandshake(t *testing.T) {
	for name, leave := range map[string]func(c *eddytest.Conn){
		"FIN":   func(c *eddytest.Conn) { _ = c.CloseWrite() },
		"reset": func(c *eddytest.Conn) { c.Reset() },
	} {
		t.Run(name, func(t *testing.T) {
			e := endpoint(t, (&script{}).Open, eddytls.Options{})
			s := eddytest.NewServer(t, e.Open)
			c := s.Dial()
			c.Send(helloOf(clientConfig(tls.VersionTLS13)))
			s.Wait(func() bool { return c.Received() != "" })
			leave(c)
			s.Wait(func() bool {
				n := e.Stats()
				closed, _ := c.Closed()
				return n.Disconnected == 1 && n.InProgress == 0 && closed
			})
		})
	}
}

// helloOf is the ClientHello of a client.
func helloOf(config *tls.Config) string {
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() { _ = tls.Client(theirs, config).Handshake() }() // until the pipe is closed
	buf := make([]byte, 8<<10)
	n, _ := ours.Read(buf)
	return string(buf[:n])
}

func TestPanicInACallbackCostsOneConnection(t *testing.T) {
	config := serverConfig()
	config.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		if h.ServerName == "panic.test" {
			panic("on purpose")
		}
		return serverConfig(), nil
	}
	e := endpoint(t, (&script{}).Open, eddytls.Options{Config: config, MaxComputing: 1})
	s := eddytest.NewServer(t, e.Open)
	bad := clientConfig(tls.VersionTLS13)
	bad.ServerName = "panic.test"
	if err := tls.Client(dial(s), bad).Handshake(); err == nil {
		t.Error("served")
	}
	exchange(t, tls.Client(dial(s), clientConfig(tls.VersionTLS13)), "hello")
	expect(t, "counted", e.Stats().Callbacks, 1)
}

// A client that does not trust the certificate says so.
func TestRefusalOfTheCertificateIsCounted(t *testing.T) {
	e := endpoint(t, (&script{}).Open, eddytls.Options{})
	s := eddytest.NewServer(t, e.Open)
	if err := tls.Client(dial(s), &tls.Config{ServerName: "localhost"}).Handshake(); err == nil {
		t.Error("trusted")
	}
	s.Wait(func() bool { return e.Stats().Refused == 1 })
}
