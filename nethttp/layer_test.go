package nethttp_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/eddynet/eddy/eddytest"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/internal/testlayer"
	"github.com/eddynet/eddy/nethttp"
)

// overALayer has the handlers that TestHandlersOverALayer asks.
func overALayer(t *testing.T) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	mux.HandleFunc("/flush", func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			fmt.Fprintln(w, "line", i)
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/hijack", func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "hello ")
		_, _ = io.Copy(conn, buffered)
	})
	return mux
}

// TestHandlersOverALayer: a layer under the connection changes nothing for them, with
// sockets or without.
func TestHandlersOverALayer(t *testing.T) {
	p, err := nethttp.New(overALayer(t), http1.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("sockets", func(t *testing.T) {
		s := serveProtocol(t, testlayer.Under(p.Open, 1))
		connect := func() testlayer.Client {
			conn, _ := dialBoth(t, s.addr)
			return testlayer.Client{ReadWriteCloser: conn}
		}
		asksHandlers(t, connect())
		hijacks(t, connect())
	})
	t.Run("memory", func(t *testing.T) {
		conn := eddytest.NewServer(t, testlayer.Under(p.Open, 1)).Dial()
		conn.SetWindow(5000)
		asksHandlers(t, testlayer.Client{ReadWriteCloser: conn})
	})
}

func asksHandlers(t *testing.T, conn io.ReadWriter) {
	body := pattern(1 << 20)
	r := bufio.NewReader(conn)
	for range 2 {
		fmt.Fprintf(conn, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", 1000, body[:1000])
		if got := bodyOf(t, r); !bytes.Equal(got, body[:1000]) {
			t.Errorf("%d bytes that differ", len(got))
		}
		fmt.Fprint(conn, get("/flush"))
		expect(t, "body", string(bodyOf(t, r)), "line 0\nline 1\nline 2\n")
	}
	sent := make(chan error, 1)
	send := func() {
		_, err := fmt.Fprintf(conn, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		sent <- err
	}
	if layered, ok := conn.(testlayer.Client); ok && inMemory(layered) {
		send() // it has room for all
	} else {
		go send()
	}
	if got := bodyOf(t, r); !bytes.Equal(got, body) {
		t.Errorf("%d bytes that differ", len(got))
	}
	expect(t, "sending", await(t, "the end of the body", sent), nil)
}

func inMemory(c testlayer.Client) bool {
	_, ok := c.ReadWriteCloser.(*eddytest.Conn)
	return ok
}

// closeWriter is a client that can end its output.
type closeWriter interface {
	io.ReadWriter
	CloseWrite() error
}

func hijacks(t *testing.T, conn closeWriter) {
	want := append([]byte("hello "), pattern(1<<20)...)
	sent := make(chan error, 1)
	go func() {
		_, err := fmt.Fprintf(conn, "%s%s", get("/hijack"), want[len("hello "):])
		sent <- err
	}()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v, or bytes that differ", err)
	}
	expect(t, "sending", await(t, "the end of it", sent), nil)
	expect(t, "CloseWrite", conn.CloseWrite(), nil)
	if n, err := conn.Read(got); err != io.EOF {
		t.Errorf("%d bytes, %v behind the last", n, err)
	}
}

func bodyOf(t *testing.T, r *bufio.Reader) []byte {
	t.Helper()
	a, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(a.Body)
	if err != nil || a.StatusCode != http.StatusOK {
		t.Errorf("status %d, %v", a.StatusCode, err)
	}
	return body
}

// TestHandlersOverTLS: the same over TLS, with Hijack.
func TestHandlersOverTLS(t *testing.T) {
	p, err := nethttp.New(overALayer(t), http1.Options{})
	if err != nil {
		t.Fatal(err)
	}
	secure, config := underTLS(t, p.Open)
	s := serveProtocol(t, secure)
	connect := func() *tls.Conn {
		conn, _ := dialBoth(t, s.addr)
		return tls.Client(conn, config)
	}
	asksHandlers(t, connect())
	hijacks(t, connect())
}
