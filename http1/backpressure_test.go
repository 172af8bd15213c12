package http1_test

import (
	"bytes"
	"context"
	"io"
	"net"
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
// arrive. It begins late to read, so that the kernel's buffers are full.
func TestStreamToASlowReader(t *testing.T) {
	want := pattern(16 << 20)
	s := serve(t, pump(want, true), http1.Options{})
	c := s.dialSmall()
	c.send(get("/") + get("/"))
	time.Sleep(50 * time.Millisecond)
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
	s := serveWith(t, func(w *http1.Response, _ *http1.Request) { w.Write(body) }, http1.Options{},
		eddy.Options{Loops: 1, HighWater: 32 << 10, MaxOutput: 64 << 10})
	c := s.dialSmall()
	const total = 2000 // 16 MiB of answers
	go func() {
		for range total {
			if _, err := io.WriteString(c.conn, get("/")); err != nil {
				return // the reader will tell
			}
		}
	}()
	time.Sleep(50 * time.Millisecond)
	for range total {
		if a := c.answer("GET"); !bytes.Equal(a.body, body) {
			t.Fatal("the body differs")
		}
	}
}
