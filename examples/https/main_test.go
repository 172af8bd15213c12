package main_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestMain(m *testing.M) { program.Main(m) }

func TestServesItsURL(t *testing.T) {
	p := program.Start(t, "-listen", "127.0.0.1:0")
	url := "https://" + p.Stdout.Line("https://")
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	client := http.Client{Timeout: program.Patience, Transport: transport}
	for range 3 {
		response, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != 200 || !strings.HasPrefix(string(body), "Hello over TLS 1.3") {
			t.Errorf("got %s %q, %v", response.Status, body, err)
		}
	}
	response, err := http.Get(strings.Replace(url, "https", "http", 1))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 400 {
		t.Errorf("plain HTTP got %s", response.Status)
	}
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
}
