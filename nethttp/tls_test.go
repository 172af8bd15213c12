package nethttp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/eddytls"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/nethttp"
)

// underTLS puts TLS under a protocol, and returns the client's configuration.
func underTLS(t *testing.T, p eddy.Protocol) (eddy.Protocol, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	e, err := eddytls.New(p, eddytls.Options{Config: &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return e.Open, &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"}
}

// A handler sees Request.TLS, and what net/http derives from it, as from net/http.
func TestRequestTellsOfTLS(t *testing.T) {
	proxy := &httputil.ProxyRequest{Out: &http.Request{Header: http.Header{}}}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxy.In = r
		proxy.SetXForwarded()
		version, name := "none", ""
		if r.TLS != nil {
			version, name = tls.VersionName(r.TLS.Version), r.TLS.ServerName
		}
		fmt.Fprintf(w, "%s, %q, scheme %q, forwarded as %s", version, name, r.URL.Scheme, proxy.Out.Header.Get("X-Forwarded-Proto"))
	})
	p, err := nethttp.New(h, http1.Options{})
	if err != nil {
		t.Fatal(err)
	}
	secure, config := underTLS(t, p.Open)
	for scheme, open := range map[string]eddy.Protocol{"http": p.Open, "https": secure} {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: patience}
		s := serveProtocol(t, open)
		response, err := client.Get((&url.URL{Scheme: scheme, Host: s.addr, Path: "/"}).String())
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(response.Body)
		response.Body.Close()
		client.CloseIdleConnections()
		want := `none, "", scheme "", forwarded as http`
		if scheme == "https" {
			want = `TLS 1.3, "localhost", scheme "", forwarded as https`
		}
		if err != nil || string(got) != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}
