package main_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddynet/eddy/examples/internal/program"
)

// These tests use the probe only through its flags, its output and its routes.

func TestMain(m *testing.M) { program.Main(m) }

// probe is a running probe.
type probe struct {
	*program.Program
	t       *testing.T
	address string // of its first HTTP listener
}

// start runs a probe on a free port, with further flags.
func start(t *testing.T, args ...string) *probe {
	t.Helper()
	return startOn(t, "127.0.0.1:0", args...)
}

func startOn(t *testing.T, listen string, args ...string) *probe {
	t.Helper()
	p := program.Start(t, append([]string{"-listen", listen}, args...)...)
	return &probe{p, t, p.Stderr.Line("listening http ")}
}

func (p *probe) dial() *program.Client {
	p.t.Helper()
	return program.Dial(p.t, p.address)
}

// ask sends a request on a new connection.
func (p *probe) ask(method, request string) *program.Answer {
	p.t.Helper()
	c := p.dial()
	defer c.Conn.Close()
	c.Send(request)
	return c.Answer(method)
}

func (p *probe) get(target string) *program.Answer {
	p.t.Helper()
	return p.ask("GET", program.Get(target))
}

func (p *probe) url(target string) string { return "http://" + p.address + target }

// drains ends the probe with SIGTERM, and expects exit status 0.
func (p *probe) drains() {
	p.t.Helper()
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
}

// stats has the fields of /stats used by the tests.
type stats struct {
	Accepted, Closed, TimedOut, AcceptPauses, Panics uint64
}

func statsOf(t *testing.T, a *program.Answer) (s stats) {
	t.Helper()
	decode(t, a, &s)
	return s
}

// decode expects a JSON response.
func decode(t *testing.T, a *program.Answer, v any) {
	t.Helper()
	if a.StatusCode != 200 || a.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("got %s of type %q: %q", a.Status, a.Header.Get("Content-Type"), a.Text)
	}
	if err := json.Unmarshal([]byte(a.Text), v); err != nil {
		t.Fatalf("%v in %q", err, a.Text)
	}
}

func expect[T comparable](t *testing.T, name string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", name, got, want)
	}
}

// eventually waits until ok, within program.Patience.
func eventually(t *testing.T, condition string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(program.Patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", program.Patience, condition)
		}
	}
}

// newHTTPClient returns an http.Client with its own connections.
func newHTTPClient(t *testing.T) *http.Client {
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 2 * program.Patience}
}

// curl runs curl, and returns its output.
func curl(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	path := lookCurl()
	if path == "" {
		t.Skip("curl is not installed")
	}
	args = append([]string{"--silent", "--show-error", "--noproxy", "*", "--max-time", "40"}, args...)
	cmd := exec.Command(path, args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("curl %q: %v\n%s", args, err, &errs)
	}
	return out.String(), errs.String()
}

// lookCurl returns the path of curl, or "".
func lookCurl() string {
	path, err := exec.LookPath("curl")
	if err != nil {
		return ""
	}
	return path
}

// hasIPv6 reports whether the machine has ::1.
func hasIPv6() bool {
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	ln.Close()
	return true
}

// drain reads r to its end. It returns the number of bytes.
func drain(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) }
