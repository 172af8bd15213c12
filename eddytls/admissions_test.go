package eddytls_test

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/eddynet/eddy/eddytest"
	"github.com/eddynet/eddy/eddytls"
)

// A callback that blocks holds up neither the loop nor other handshakes, although one place
// is all there is.
func TestBlockingCallbackHoldsNobodyUp(t *testing.T) {
	blocked, release := make(chan struct{}), make(chan struct{})
	config := &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if h.ServerName == "slow.test" {
			close(blocked)
			<-release
		}
		cert := authority().issue(h.ServerName)
		return &cert, nil
	}}
	e := endpoint(t, (&script{}).Open, eddytls.Options{Config: config, MaxComputing: 1})
	s := eddytest.NewServer(t, e.Open)
	slow := clientConfig(tls.VersionTLS13)
	slow.ServerName = "slow.test"
	slowConn := dial(s)
	slowConn.Send(helloOf(slow))
	await(t, "the callback", blocked)
	exchange(t, tls.Client(dial(s), clientConfig(tls.VersionTLS13)), "hello")
	expect(t, "in progress", e.Stats().InProgress, 1)
	close(release)
	s.Wait(func() bool { return slowConn.Received() != "" })
}

// Beyond MaxHandshakes a hello waits for its turn.
func TestHandshakesBeyondTheBoundWait(t *testing.T) {
	e := endpoint(t, (&script{}).Open, eddytls.Options{MaxHandshakes: 2})
	s := eddytest.NewServer(t, e.Open)
	hello := helloOf(clientConfig(tls.VersionTLS13))
	var conns []*eddytest.Conn
	for range 4 {
		c := s.Dial()
		c.Send(hello)
		conns = append(conns, c)
	}
	if n := e.Stats(); n.InProgress != 2 || n.Waiting != 2 {
		t.Errorf("%+v", n)
	}
	s.Wait(func() bool { return conns[0].Received() != "" })
	conns[0].Reset()
	s.Wait(func() bool { return conns[2].Received() != "" })
	if n := e.Stats(); n.InProgress != 2 || n.Waiting != 1 {
		t.Errorf("%+v", n)
	}
	for _, c := range conns {
		c.Reset()
	}
	s.Wait(func() bool { n := e.Stats(); return n.InProgress == 0 && n.Waiting == 0 })
	expect(t, "counted", e.Stats().Disconnected, 4)
}

// 500 stalled handshakes, and 500 clients that send half a hello, harm nobody.
func TestStalledClientsHarmNobody(t *testing.T) {
	e := endpoint(t, (&script{}).Open, eddytls.Options{})
	s := eddytest.NewServer(t, e.Open)
	hello := helloOf(clientConfig(tls.VersionTLS13))
	for range 500 {
		s.Dial().Send(hello)
		s.Dial().Send(hello[:len(hello)/2])
	}
	exchange(t, tls.Client(dial(s), clientConfig(tls.VersionTLS13)), "hello")
	s.Wait(func() bool { return e.Stats().InProgress == 500 })
	s.Advance(11 * time.Second)
	s.Wait(func() bool { n := e.Stats(); return n.Timeouts == 1000 && n.InProgress == 0 })
}
