package main_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestRoutesOverTLS(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		p := start(t, "-tls", "127.0.0.1:0")
		base := "https://" + p.Stderr.Line("listening https ")
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version}}
		client := &http.Client{Transport: transport, Timeout: program.Patience}
		fetch := func(method, target string, body []byte) string {
			t.Helper()
			r, err := http.NewRequest(method, base+target, bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			a, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Body.Close()
			text, err := io.ReadAll(a.Body)
			if err != nil || a.StatusCode != 200 {
				t.Errorf("%s: %s, %v", target, a.Status, err)
			}
			return string(text)
		}
		large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		expect(t, "/plaintext", fetch("GET", "/plaintext", nil), "Hello, World!")
		expect(t, "/big", fetch("GET", "/big?n=3000000", nil), strings.Repeat("x", 3000000))
		expect(t, "/echo", fetch("POST", "/echo", large), string(large))
		expect(t, "/upload", strings.Contains(fetch("POST", "/upload", large), fmt.Sprintf("%x", sha256.Sum256(large))), true)
		expect(t, "/defer", fetch("GET", "/defer?ms=1", nil), "deferred")
		expect(t, "/stream", fetch("GET", "/stream?gap=1", nil), "STARTMIDDLEEND")
		expect(t, "/std/echo", fetch("POST", "/std/echo", large), string(large))
		transport.CloseIdleConnections()
		p.drains()
	}
}
