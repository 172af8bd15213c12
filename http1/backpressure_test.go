package http1_test

import (
	"bytes"
	"context"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// dialSmall connects with a receive buffer of a few kilobytes.
func (s *server) dialSmall() *client {
	s.t.Helper()
	d := net.Dialer{Timeout: patience, Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		if e := raw.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2048)
		}); e != nil {
			return e
		}
		return err
	}}
	conn, err := d.DialContext(context.Background(), "tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		s.t.Fatal(err)
	}
	c := newClient(conn.(*net.TCPConn))
	c.t = s.t
	return c
}

// TestStreamToASlowReader: the stream runs full, OnReady goes on with it, all bytes
// arrive.
func TestStreamToASlowReader(t *testing.T) {
	want := pattern(16 << 20)
	s := serveVia(t, via{memory: true, window: 30_000}, pump(want, true), http1.Options{}, eddy.Options{})
	c := s.dial()
	c.send(get("/") + get("/"))
	expect(t, "the server's output is full", c.memory().Server().Full(), true)
	for range 2 {
		if a := c.answer("GET"); !bytes.Equal(a.body, want) {
			t.Error("the body differs")
		}
	}
}

// TestWholeAnswerToASlowReader: one write may pass all marks; it arrives, also where
// the connection closes behind it.
func TestWholeAnswerToASlowReader(t *testing.T) {
	want := pattern(16 << 20)
	s := serve(t, func(w *http1.Response, _ *http1.Request) { w.Write(want) }, http1.Options{})
	c := s.dialSmall()
	c.send(get("/") + "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	time.Sleep(50 * time.Millisecond)
	for range 2 {
		if a := c.answer("GET"); !bytes.Equal(a.body, want) {
			t.Error("the body differs")
		}
	}
	c.closed()
}

// TestPipelineToASlowReaderWaits: what is pending stays near the high-water mark,
// however many requests there are, and all are answered in the end.
func TestPipelineToASlowReaderWaits(t *testing.T) {
	body := pattern(8 << 10)
	const highWater = 32 << 10
	s := serveVia(t, via{memory: true, window: 30_000}, func(w *http1.Response, _ *http1.Request) { w.Write(body) },
		http1.Options{}, eddy.Options{HighWater: highWater, MaxOutput: 2 * highWater})
	c := s.dial()
	const total = 2000 // 16 MiB of answers
	c.send(strings.Repeat(get("/"), total))
	for range total {
		if n := c.memory().Server().Pending(); n > highWater+int64(len(body))+1000 {
			t.Fatalf("%d bytes pending", n)
		}
		if a := c.answer("GET"); !bytes.Equal(a.body, body) {
			t.Fatal("the body differs")
		}
	}
}
