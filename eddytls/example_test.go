package eddytls_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/eddytest"
	"github.com/eddynet/eddy/eddytls"
	"github.com/eddynet/eddy/http1"
)

// exampleT stands for the *testing.T of a test.
type exampleT struct{ testing.TB }

func (exampleT) Helper()           {}
func (exampleT) Cleanup(func())    {}
func (exampleT) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// get is a request over TLS, in memory.
func get(secure eddy.Protocol) (status string, body string) {
	conn := dial(eddytest.NewServer(exampleT{}, secure))
	client := tls.Client(conn, clientConfig(tls.VersionTLS13))
	_ = httptest.NewRequest("GET", "/", nil).Write(client) // it cannot fail
	response, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		return "", err.Error()
	}
	text, _ := io.ReadAll(response.Body)
	return response.Status, string(text)
}

// A server with TLS under HTTP.
func ExampleEndpoint() {
	hello := func(w *http1.Response, r *http1.Request) {
		fmt.Fprintf(w, "hello over %s", tls.VersionName(r.TLS().Version))
	}
	server, err := http1.New(hello, http1.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	secure, err := eddytls.New(server.Open, eddytls.Options{Config: &tls.Config{
		Certificates: []tls.Certificate{localhost()},
		NextProtos:   []string{"http/1.1"},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(get(secure.Open)) // a program passes it to Engine.Listen
	// Output: 200 OK hello over TLS 1.3
}

// Two protocols on one port, by ALPN.
func ExampleOptions() {
	echo := func(*eddy.Conn) eddy.Handler { return &script{} }
	server, err := http1.New(func(w *http1.Response, _ *http1.Request) { w.WriteString("HTTP") }, http1.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	secure, err := eddytls.New(server.Open, eddytls.Options{
		Config: &tls.Config{
			Certificates: []tls.Certificate{localhost()},
			NextProtos:   []string{"http/1.1", "echo"},
		},
		Protocols:        map[string]eddy.Protocol{"echo": echo},
		HandshakeTimeout: 5 * time.Second,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(get(secure.Open))
	// Output: 200 OK HTTP
}

// The counters of an endpoint, for expvar for example.
func ExampleStats() {
	secure, err := eddytls.New((&script{}).Open, eddytls.Options{Config: serverConfig()})
	if err != nil {
		fmt.Println(err)
		return
	}
	get(secure.Open)
	stats := secure.Stats()
	fmt.Println(stats.Handshakes, "done,", stats.Timeouts, "not in time")
	// Output: 1 done, 0 not in time
}

// A certificate whose files are replaced while the program runs, by an ACME client for
// example.
func ExampleFiles() {
	files, err := eddytls.LoadFiles("cert.pem", "key.pem", time.Minute)
	if err != nil {
		fmt.Println("no certificate")
		return
	}
	_ = &tls.Config{GetCertificate: files.GetCertificate}
	// Output: no certificate
}
