package eddytls_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/eddytls"
	"github.com/eddynet/eddy/http1"
)

// serveHTTP serves HTTP over TLS on a socket: /echo, /big, and anything else.
func serveHTTP(t *testing.T, o eddytls.Options) (*listening, *eddytls.Endpoint) {
	t.Helper()
	server, err := http1.New(func(w *http1.Response, r *http1.Request) {
		switch string(r.Path()) {
		case "/echo":
			w.SetBody(bytes.Clone(r.Body()), nil)
		case "/big":
			w.SetBody([]byte(pattern(3<<20)), nil)
		default:
			w.WriteString("hello")
		}
	}, http1.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := endpoint(t, server.Open, o)
	return listen(t, e.Open, eddy.Options{}), e
}

func TestNetHTTPClient(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		l, e := serveHTTP(t, eddytls.Options{})
		config := clientConfig(version)
		config.ClientSessionCache = tls.NewLRUClientSessionCache(8)
		transport := &http.Transport{TLSClientConfig: config}
		client := &http.Client{Transport: transport, Timeout: patience}
		fetch := func(target, body string) string {
			a, err := client.Post("https://"+l.addr+target, "text/plain", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			defer a.Body.Close()
			text, err := io.ReadAll(a.Body)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		for range 3 {
			expect(t, "answer", fetch("/", ""), "hello")
			expect(t, "echo", fetch("/echo", pattern(1<<20)) == pattern(1<<20), true)
			expect(t, "big", fetch("/big", "") == pattern(3<<20), true)
			transport.CloseIdleConnections()
		}
		if n := e.Stats(); n.Handshakes != 3 || n.Resumed != 2 {
			t.Errorf("%+v", n)
		}
	})
}

// A client of the engine speaks to a server of the engine.
func TestDial(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		l := listen(t, endpoint(t, func(*eddy.Conn) eddy.Handler { return &script{} }, eddytls.Options{}).Open, eddy.Options{})
		text := pattern(300_000)
		got := make(chan string, 1)
		p := &script{}
		p.open = func(c *eddy.Conn) { _, _ = c.WriteString(text[1000:]) }
		p.data = func(c *eddy.Conn, in []byte) int {
			if len(p.got) == len(text) {
				got <- string(p.got)
				c.Close()
			}
			return len(in)
		}
		client, err := eddytls.NewClient(p.Open, eddytls.Options{Config: clientConfig(version)})
		if err != nil {
			t.Fatal(err)
		}
		early := func(c *eddy.Conn, err error) { // before the handshake
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = c.WriteString(text[:1000])
		}
		if err := l.engine.Dial("tcp", l.addr, client.Open, patience, early); err != nil {
			t.Fatal(err)
		}
		expect(t, "echo", await(t, "the echo", got) == text, true)
		expect(t, "handshakes", client.Stats().Handshakes, 1)
	})
}

// A client that does not trust the server's certificate ends the connection.
func TestDialChecksTheCertificate(t *testing.T) {
	l := listen(t, endpoint(t, func(*eddy.Conn) eddy.Handler { return &script{} }, eddytls.Options{}).Open, eddy.Options{})
	config := clientConfig(tls.VersionTLS13)
	config.ServerName = "other.test"
	client, err := eddytls.NewClient((&script{}).Open, eddytls.Options{Config: config})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.engine.Dial("tcp", l.addr, client.Open, patience, func(*eddy.Conn, error) {}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); client.Stats().Certificates != 1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%+v", client.Stats())
		}
	}
}

// step is what a program prints before it gets input: programs take commands at the
// beginning of what they read.
type step struct{ prints, gets string }

// output is of a program that runs.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// run runs a program that may be missing.
func run(t *testing.T, steps []step, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out output
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed := map[string]int{}
	for _, s := range steps {
		for printed[s.prints]++; strings.Count(out.String(), s.prints) < printed[s.prints] && ctx.Err() == nil; {
			time.Sleep(time.Millisecond)
		}
		_, _ = io.WriteString(in, s.gets)
	}
	in.Close()
	_ = cmd.Wait() // its output tells
	return out.String()
}

// caFile is the authority's certificate in a file.
func caFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority().cert.Raw})
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

const (
	request    = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
	opensslGet = "GET / HTTP/1.1\nHost: localhost\n\n" // with -crlf
)

func TestOpenSSLClient(t *testing.T) {
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		t.Run(version, func(t *testing.T) {
			l, e := serveHTTP(t, eddytls.Options{})
			session := filepath.Join(t.TempDir(), "session")
			args := []string{"s_client", "-connect", l.addr, "-CAfile", caFile(t), "-servername", "localhost", "-verify_return_error", "-crlf", version}
			out := run(t, []step{{"Verify return code", opensslGet}, {"hello", ""}}, "openssl", append(args, "-sess_out", session)...)
			if !strings.Contains(out, "hello") || !strings.Contains(out, "Verify return code: 0") {
				t.Errorf("got %s", out)
			}
			out = run(t, []step{{"Verify return code", opensslGet}, {"hello", ""}}, "openssl", append(args, "-sess_in", session)...)
			if !strings.Contains(out, "hello") || !strings.Contains(out, "Reused, ") {
				t.Errorf("resumed: got %s", out)
			}
			expect(t, "resumed", e.Stats().Resumed, 1)
		})
	}
}

// k and K are key updates, K asks for one of the server.
func TestOpenSSLClientUpdatesKeys(t *testing.T) {
	l, _ := serveHTTP(t, eddytls.Options{})
	steps := []step{{"Verify return code", opensslGet}}
	for _, command := range []string{"k\n", "K\n", "K\n"} {
		steps = append(steps, step{"hello", command}, step{"KEYUPDATE", opensslGet})
	}
	out := run(t, append(steps, step{"hello", ""}), "openssl",
		"s_client", "-connect", l.addr, "-CAfile", caFile(t), "-servername", "localhost", "-crlf", "-tls1_3")
	if n := strings.Count(out, "hello"); n != 4 || strings.Count(out, "KEYUPDATE") != 3 {
		t.Errorf("%d answers: %s", n, out)
	}
}

// R asks for renegotiation, which is refused.
func TestOpenSSLClientMayNotRenegotiate(t *testing.T) {
	l, _ := serveHTTP(t, eddytls.Options{})
	out := run(t, []step{{"Verify return code", opensslGet}, {"hello", "R\n"}, {"SSL alert number", ""}}, "openssl",
		"s_client", "-connect", l.addr, "-CAfile", caFile(t), "-servername", "localhost", "-crlf", "-tls1_2")
	if !strings.Contains(out, "RENEGOTIATING") || !strings.Contains(out, "unexpected message") {
		t.Errorf("got %s", out)
	}
}

func TestCurl(t *testing.T) {
	l, _ := serveHTTP(t, eddytls.Options{})
	_, port, _ := strings.Cut(l.addr, ":")
	url := "https://localhost:" + port
	args := []string{"-sS", "--cacert", caFile(t), "--resolve", "localhost:" + port + ":127.0.0.1"}
	out := run(t, nil, "curl", append(args, url+"/", url+"/big")...)
	if out != "hello"+pattern(3<<20) {
		t.Errorf("got %d bytes: %.200q", len(out), out)
	}
	out = run(t, nil, "curl", append(args, "--data-binary", "@"+caFile(t), url+"/echo")...)
	if !strings.HasPrefix(out, "-----BEGIN CERTIFICATE") {
		t.Errorf("got %.200q", out)
	}
}

func TestGnuTLSClient(t *testing.T) {
	l, _ := serveHTTP(t, eddytls.Options{})
	_, port, _ := strings.Cut(l.addr, ":")
	out := run(t, []step{{"Simple Client Mode", request}, {"hello", ""}}, "gnutls-cli", "--x509cafile", caFile(t), "--sni-hostname", "localhost", "--verify-hostname", "localhost", "-p", port, "127.0.0.1")
	if !strings.Contains(out, "hello") {
		t.Errorf("got %s", out)
	}
}
