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

// Conn is the client's end of a connection: an io.ReadWriteCloser, whose other methods
// control and show what a socket hides. Each method runs the loop.
type Conn struct {
	server *Server
	memory *memory
	conn   *eddy.Conn
}

var _ io.ReadWriteCloser = (*Conn)(nil)

// Server is the server's end, with its Pending output, its EOF, its Err, ...
func (c *Conn) Server() *eddy.Conn { return c.conn }

// Send sends data in one piece: if the handler is not paused, it has been called with
// data when Send returns, in slices of at most 64 KiB.
func (c *Conn) Send(data string) {
	c.server.t.Helper()
	_, _ = io.WriteString(c, data) // a test sees the end of the connection by Closed
}

// Write is Send with a result, for an io.Writer. It takes all of p, however much the
// server has not read. When the server has closed the connection, the error is
// syscall.EPIPE.
func (c *Conn) Write(p []byte) (int, error) {
	c.server.t.Helper()
	if c.memory.closed || c.memory.eof || c.memory.reset {
		return 0, syscall.EPIPE
	}
	c.memory.in = append(c.memory.in, p...)
	c.wake()
	return len(p), nil
}

// Received returns everything that has arrived from the server and was not returned
// before; "" if nothing has. It does not wait for other goroutines: see Read.
func (c *Conn) Received() string {
	c.server.t.Helper()
	c.server.Run()
	got := string(c.memory.out)
	c.memory.out = nil
	c.wake()
	return got
}

// SetWindow lets the server write no more than n bytes beyond those that Received, or
// Read, has returned: a client that reads slowly, and partial writes. With 0 the server
// writes nothing. A new connection has a window of 1 GiB.
func (c *Conn) SetWindow(n int) {
	c.server.t.Helper()
	c.memory.window = n
	c.wake()
}

// CloseWrite ends the client's output, as FIN does. The error is nil.
func (c *Conn) CloseWrite() error {
	c.server.t.Helper()
	c.memory.eof = true
	c.wake()
	return nil
}

// Reset breaks the connection, as RST does: input that the server has not read is lost.
func (c *Conn) Reset() {
	c.server.t.Helper()
	c.memory.reset = true
	c.wake()
	if !c.memory.closed { // it does not read
		c.conn.Abort(syscall.ECONNRESET)
		c.server.Run()
	}
}

// Close ends both directions: the server's further output is discarded. The error is nil.
func (c *Conn) Close() error {
	c.server.t.Helper()
	c.memory.discard = true
	return c.CloseWrite()
}

// EOF reports that the server has ended its output, as it does after Close and CloseIdle
// of the handler, when everything is sent. It may go on reading: see Closed.
func (c *Conn) EOF() bool { return c.memory.outEOF }

// Closed reports that the server has closed the connection, and whether with a reset.
// After Close of the handler that is when lingering has ended: with the client's own
// Close or CloseWrite, or after Options.LingerTimeout. Until then see EOF.
func (c *Conn) Closed() (closed, reset bool) { return c.memory.closed, c.memory.closedByReset }

// Read reads what the server has sent. If there is nothing, it waits for other
// goroutines, for at most 10 s of real time: then the test fails. At the end of the
// server's output the error is io.EOF, after a reset syscall.ECONNRESET.
func (c *Conn) Read(p []byte) (int, error) {
	m := c.memory
	c.server.t.Helper()
	c.server.wait(func() bool { return len(m.out) > 0 || m.outEOF || m.closed },
		"the server has sent nothing: if it waits for a timer or a deadline, call Advance before")
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
// responses are skipped. Of http.NewRequest, the URL must have a host. The error is that of Request.Write, or Response's.
func (c *Conn) Do(r *http.Request) (*http.Response, error) {
	c.server.t.Helper()
	var text bytes.Buffer
	if err := r.Write(&text); err != nil {
		return nil, err
	}
	c.Send(text.String())
	return c.Response(r)
}

// Response reads and parses one response, to r, or to a GET if it is nil, for requests
// that Send has sent: malformed, pipelined or in pieces. It waits as Read does. The error
// is that of http.ReadResponse, or of the body.
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

// wake makes the loop look at the connection again.
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
	m.ended = false // a connection that lingers below its layers looks for it again
	return nil
}

func (m *memory) Close(reset bool) {
	m.closed, m.closedByReset = true, reset
	m.outEOF = m.outEOF || !reset
}
