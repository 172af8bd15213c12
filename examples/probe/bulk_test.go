package main_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const bulk = 100 << 20

// hash returns the length and the SHA-256 of r's content.
func hash(t *testing.T, r io.Reader) string {
	t.Helper()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		t.Fatalf("after %d bytes: %v", n, err)
	}
	return fmt.Sprintf("%d bytes, %s", n, hex.EncodeToString(h.Sum(nil)))
}

func hashFile(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return hash(t, f)
}

// noise returns a file of pseudo-random bytes.
func noise(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "up")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(f, rand.NewChaCha8([32]byte{}), bulk); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// fetch transfers with curl, or with net/http if curl is not installed. upload is a file
// or empty. fetch returns the hash of the response's body.
func fetch(t *testing.T, url, upload string, chunked bool) string {
	t.Helper()
	if lookCurl() != "" {
		down := filepath.Join(t.TempDir(), "down")
		args := []string{"--fail", "--output", down, url}
		if upload != "" {
			args = append(args, "--request", "POST", "--upload-file", upload, "--header", "Expect:")
		}
		if chunked {
			args = append(args, "--header", "Transfer-Encoding: chunked")
		}
		curl(t, args...)
		return hashFile(t, down)
	}
	var body io.Reader = http.NoBody
	method := "GET"
	if upload != "" {
		f, err := os.Open(upload)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		method, body = "POST", f
	}
	request, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if upload != "" && !chunked {
		request.ContentLength = bulk
	}
	response, err := newHTTPClient(t).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != 200 {
		t.Fatal(response.Status)
	}
	return hash(t, response.Body)
}

func TestBulkUpAndBack(t *testing.T) {
	p := start(t, "-max-body", itoa(bulk))
	up := noise(t)
	want := hashFile(t, up)
	for _, chunked := range []bool{false, true} {
		expect(t, fmt.Sprintf("chunked is %v", chunked), fetch(t, p.url("/echo"), up, chunked), want)
	}
}

func TestBulkDown(t *testing.T) {
	p := start(t)
	want := hash(t, io.LimitReader(repeated('x'), bulk))
	for _, query := range []string{"", "&chunked=1"} {
		expect(t, "/big"+query, fetch(t, p.url("/big?n="+itoa(bulk)+query), "", false), want)
	}
}

// repeated is an infinite sequence of one byte.
type repeated byte

func (b repeated) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

// A slow reader receives everything, even with Connection: close.
func TestBulkToASlowReader(t *testing.T) {
	t.Parallel()
	p := start(t)
	const size = 16 << 20
	c := p.dial()
	c.Send("GET /big?n=" + itoa(size) + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	response, err := http.ReadResponse(c.Buffered(), nil)
	if err != nil {
		t.Fatal(err)
	}
	other := p.dial()
	total := 0
	for buf := make([]byte, 256<<10); ; {
		other.Get("/plaintext") // slows down the reader
		n, err := response.Body.Read(buf)
		total += n
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("after %d bytes: %v", total, err)
		}
	}
	expect(t, "bytes", total, size)
	c.Ends()
}

func TestCurl(t *testing.T) {
	t.Parallel()
	p := start(t, "-max-body", "100000")
	t.Run("GET", func(t *testing.T) {
		out, _ := curl(t, p.url("/plaintext"))
		expect(t, "body", out, "Hello, World!")
	})
	t.Run("HEAD", func(t *testing.T) {
		out, _ := curl(t, "--head", p.url("/big?n=12345"))
		if !strings.HasPrefix(out, "HTTP/1.1 200 OK\r\n") || !strings.Contains(out, "Content-Length: 12345\r\n") {
			t.Errorf("got %q", out)
		}
	})
	t.Run("HTTP/1.0", func(t *testing.T) {
		out, log := curl(t, "--http1.0", "--verbose", p.url("/big?n=10&chunked=1"))
		expect(t, "body", out, "xxxxxxxxxx")
		if strings.Contains(log, "< Transfer-Encoding") {
			t.Errorf("chunked response to HTTP/1.0:\n%s", log)
		}
	})
	t.Run("Expect: 100-continue", func(t *testing.T) {
		out, log := curl(t, "--verbose", "--header", "Expect: 100-continue", "--expect100-timeout", "30", "--data", "abc", p.url("/echo"))
		expect(t, "body", out, "abc")
		if !strings.Contains(log, "< HTTP/1.1 100 Continue") {
			t.Errorf("no 100 Continue:\n%s", log)
		}
	})
	t.Run("Expect: 100-continue, refused", func(t *testing.T) {
		out, log := curl(t, "--verbose", "--header", "Expect: 100-continue", "--expect100-timeout", "30",
			"--output", os.DevNull, "--write-out", "%{http_code} %{size_upload}", "--data", strings.Repeat("x", 100001), p.url("/echo"))
		expect(t, "status and bytes sent", out, "413 0")
		if strings.Contains(log, "100 Continue") {
			t.Errorf("100 Continue for a refused body:\n%s", log)
		}
	})
	t.Run("keep-alive", func(t *testing.T) {
		out, _ := curl(t, "--write-out", " %{num_connects}\n", p.url("/plaintext"), p.url("/plaintext"), p.url("/plaintext"))
		expect(t, "bodies and new connections", out, "Hello, World! 1\nHello, World! 0\nHello, World! 0\n")
	})
	t.Run("Unix socket", func(t *testing.T) {
		path := socketPath(t)
		startOn(t, "unix:"+path)
		out, _ := curl(t, "--unix-socket", path, "http://localhost/plaintext")
		expect(t, "body", out, "Hello, World!")
	})
	t.Run("IPv6", func(t *testing.T) {
		if !hasIPv6() {
			t.Skip("this machine has no ::1")
		}
		out, _ := curl(t, "--globoff", startOn(t, "[::1]:0").url("/plaintext"))
		expect(t, "body", out, "Hello, World!")
	})
}
