// Package wstest is a WebSocket client for tests. It writes raw frames and reads
// strictly.
package wstest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/eddynet/eddy/examples/internal/program"
)

// Client is a WebSocket. It must be used on the goroutine of the test.
type Client struct {
	Conn net.Conn
	t    testing.TB
	r    io.Reader
}

// Dial opens a WebSocket. The connection has a deadline of program.Patience, and is
// closed after the test.
func Dial(t testing.TB, url string) *Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), program.Patience)
	defer cancel()
	conn, early, _, err := ws.Dial(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(program.Patience)); err != nil {
		t.Fatal(err)
	}
	if early != nil {
		return New(t, conn, early) // the server has sent bytes after its response
	}
	return New(t, conn, conn)
}

// New returns a Client for an established WebSocket, which reads from r.
func New(t testing.TB, conn net.Conn, r io.Reader) *Client { return &Client{conn, t, r} }

// Handshake is a WebSocket handshake with the key of the example in RFC 6455 section
// 1.3. fields are added, or replace those of the same name. A field that ends with a
// colon is removed.
func Handshake(target string, fields ...string) string {
	head := "GET " + target + " HTTP/1.1\r\n"
	for _, field := range []string{
		"Host: a", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	} {
		name, _, _ := strings.Cut(field, ":")
		same := func(other string) bool { return strings.HasPrefix(other, name+":") }
		if !slices.ContainsFunc(fields, same) {
			head += field + "\r\n"
		}
	}
	for _, field := range fields {
		if !strings.HasSuffix(field, ":") {
			head += field + "\r\n"
		}
	}
	return head + "\r\n"
}

// Acceptance is the Sec-WebSocket-Accept value for Handshake.
const Acceptance = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

// Masked encodes frames as a client does.
func Masked(frames ...ws.Frame) []byte {
	var all bytes.Buffer
	for _, f := range frames {
		ws.MustWriteFrame(&all, ws.MaskFrame(f))
	}
	return all.Bytes()
}

// Write sends frames, masked, in one write.
func (c *Client) Write(frames ...ws.Frame) {
	c.t.Helper()
	c.Bytes(Masked(frames...))
}

// Bytes sends p.
func (c *Client) Bytes(p []byte) {
	c.t.Helper()
	if _, err := c.Conn.Write(p); err != nil {
		c.t.Fatal(err)
	}
}

// Read expects a frame with that code, and returns its payload.
func (c *Client) Read(code ws.OpCode) []byte {
	c.t.Helper()
	f, err := ws.ReadFrame(c.r)
	if err != nil {
		c.t.Fatal(err)
	}
	if f.Header.OpCode != code || f.Header.Masked || !f.Header.Fin {
		c.t.Fatalf("got frame %+v %.200q, want one with code %d", f.Header, f.Payload, code)
	}
	return f.Payload
}

// Closes expects a close frame with that status, and the end of the connection. It
// returns the reason.
func (c *Client) Closes(status ws.StatusCode) string {
	c.t.Helper()
	got, reason := ws.ParseCloseFrameData(c.Read(ws.OpClose))
	if got != status {
		c.t.Errorf("closed with %d, %q, want %d", got, reason, status)
	}
	if n, err := c.r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		c.t.Errorf("after the close frame: %d bytes, %v", n, err)
	}
	c.Conn.Close()
	return reason
}
