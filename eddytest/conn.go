package eddytest

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"syscall"

	"github.com/eddynet/eddy"
)

// maxWindow is the window of a new connection.
const maxWindow = 1 << 30

// Conn is the client's end of a connection.
type Conn struct {
	server *Server
	memory *memory
	conn   *eddy.Conn
}

// Server is the server's end.
func (c *Conn) Server() *eddy.Conn { return c.conn }

// Send has the server receive data, in one piece, and runs the loop. The server reads it
// in pieces of at most 64 KiB, when its handler lets it.
func (c *Conn) Send(data string) {
	c.server.t.Helper()
	c.memory.in = append(c.memory.in, data...)
	c.wake()
}

// Received returns everything that has come from the server and was not returned before.
// It runs the loop, but does not wait.
func (c *Conn) Received() string {
	c.server.t.Helper()
	c.server.Run()
	got := string(c.memory.out)
	c.memory.out = nil
	c.wake()
	return got
}

// SetWindow has the server write no more than n bytes beyond those that Received, or
// Read, has returned: a peer that reads slowly.
func (c *Conn) SetWindow(n int) {
	c.server.t.Helper()
	c.memory.window = n
	c.wake()
}

// CloseWrite ends the client's output, as FIN does.
func (c *Conn) CloseWrite() {
	c.server.t.Helper()
	c.memory.eof = true
	c.wake()
}

// Reset breaks the connection, as RST does.
func (c *Conn) Reset() {
	c.server.t.Helper()
	c.memory.reset = true
	c.wake()
}

// Close ends both directions: the server's further output is discarded.
func (c *Conn) Close() {
	c.server.t.Helper()
	c.memory.discard = true
	c.CloseWrite()
}

// EOF reports that the server has ended its output.
func (c *Conn) EOF() bool { return c.memory.outEOF }

// Closed reports that the server has closed the connection, and whether with a reset.
func (c *Conn) Closed() (closed, reset bool) { return c.memory.closed, c.memory.closedByReset }

// Read reads what the server has sent. If there is nothing, it runs the loop and waits
// for other goroutines, for at most 10 s of real time: then the test ends. At the end of
// the server's output the error is io.EOF, after a reset syscall.ECONNRESET.
func (c *Conn) Read(p []byte) (int, error) {
	m := c.memory
	c.server.t.Helper()
	c.server.Wait(func() bool { return len(m.out) > 0 || m.outEOF || m.closed })
	switch {
	case len(m.out) > 0:
		n := copy(p, m.out)
		m.out = m.out[n:]
		c.wake()
		return n, nil
	case m.closedByReset:
		return 0, syscall.ECONNRESET
	}
	return 0, io.EOF
}

// Do sends a whole request and returns the parsed response, with its whole body: 1xx
// responses are skipped. The error is that of http.ReadResponse.
func (c *Conn) Do(r *http.Request) (*http.Response, error) {
	c.server.t.Helper()
	var text bytes.Buffer
	if err := r.Write(&text); err != nil {
		return nil, err
	}
	c.Send(text.String())
	return c.Response(r)
}

// Response reads and parses one response, to r, or to a GET if it is nil.
func (c *Conn) Response(r *http.Request) (*http.Response, error) {
	c.server.t.Helper()
	from := bufio.NewReader(c)
	for {
		w, err := http.ReadResponse(from, r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(w.Body)
		if err != nil {
			return nil, err
		}
		if w.StatusCode >= 200 || w.StatusCode == http.StatusSwitchingProtocols {
			w.Body = io.NopCloser(bytes.NewReader(body))
			rest, _ := from.Peek(from.Buffered()) // has them all
			c.memory.out = append(bytes.Clone(rest), c.memory.out...)
			return w, nil
		}
	}
}

// wake has the loop look at the connection again.
func (c *Conn) wake() {
	c.server.t.Helper()
	if !c.memory.closed {
		c.conn.Wake()
	}
	c.server.Run()
}

// memory is the server's transport.
type memory struct {
	in     []byte // from the client, not read
	eof    bool   // after in
	reset  bool   // at once
	ended  bool   // the server has read the end
	out    []byte // to the client, which has not read it
	window int    // bytes of out
	outEOF bool

	discard, closed, closedByReset bool
}

var _ eddy.Transport = (*memory)(nil)

func (m *memory) Read(p []byte) (int, error) {
	switch {
	case m.reset:
		m.ended = true
		return 0, syscall.ECONNRESET
	case len(m.in) > 0:
		n := copy(p, m.in)
		m.in = m.in[n:]
		return n, nil
	case m.eof:
		m.ended = true
		return 0, io.EOF
	}
	return 0, syscall.EAGAIN
}

func (m *memory) Held() (input bool, output int64) {
	return len(m.in) > 0 || (m.eof || m.reset) && !m.ended, 0
}

func (m *memory) Write(slices [][]byte) (n int, err error) {
	if m.reset {
		return 0, syscall.EPIPE
	}
	for _, p := range slices {
		room := max(m.window-len(m.out), 0)
		if m.discard {
			room = len(p)
		}
		took := min(len(p), room)
		n += took
		if !m.discard {
			m.out = append(m.out, p[:took]...)
		}
		if took < len(p) {
			break
		}
	}
	if n == 0 && len(slices) > 0 {
		return 0, syscall.EAGAIN
	}
	return n, nil
}

func (m *memory) CloseWrite() error {
	m.outEOF = true
	return nil
}

func (m *memory) Close(reset bool) {
	m.closed, m.closedByReset = true, reset
	m.outEOF = m.outEOF || !reset
}
