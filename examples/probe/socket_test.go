package main_test

import (
	"bytes"
	"syscall"
	"testing"

	"github.com/gobwas/ws"

	"github.com/eddynet/eddy/examples/internal/program"
	"github.com/eddynet/eddy/examples/internal/websocket/wstest"
)

// socket opens a WebSocket on /ws.
func (p *probe) socket() *wstest.Client {
	p.t.Helper()
	return wstest.Dial(p.t, "ws://"+p.address+"/ws")
}

func echoes(t *testing.T, c *wstest.Client, f ws.Frame) {
	t.Helper()
	if got := c.Read(f.Header.OpCode); !bytes.Equal(got, f.Payload) {
		t.Errorf("the echo of %d bytes has %d: %.100q", len(f.Payload), len(got), got)
	}
}

func TestSocketEchoes(t *testing.T) {
	t.Parallel()
	p := start(t)
	c := p.socket()
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	frames := []ws.Frame{
		ws.NewTextFrame([]byte("Hello")),
		ws.NewTextFrame(nil),
		ws.NewBinaryFrame([]byte{0xFF, 0}),
		ws.NewTextFrame(large),
		ws.NewBinaryFrame(large[1:]),
	}
	for _, f := range frames {
		c.Write(f)
		echoes(t, c, f)
	}
	for range 100 {
		c.Write(frames[:3]...) // in one write
		for _, f := range frames[:3] {
			echoes(t, c, f)
		}
	}
	c.Write(
		ws.NewFrame(ws.OpText, false, []byte("in ")),
		ws.NewPingFrame([]byte("between")),
		ws.NewFrame(ws.OpContinuation, true, []byte("two")),
	)
	echoes(t, c, ws.NewPongFrame([]byte("between")))
	echoes(t, c, ws.NewTextFrame([]byte("in two")))
	c.Write(ws.NewCloseFrame(ws.NewCloseFrameBody(4000, "bye")))
	c.Closes(4000)
	p.drains()
}

// A frame may be cut anywhere, and its second half may arrive with the next frame.
func TestSocketFramesCutAtEveryByte(t *testing.T) {
	t.Parallel()
	c := start(t).socket()
	c.Write(ws.NewTextFrame([]byte("begin")))
	echoes(t, c, ws.NewTextFrame([]byte("begin")))
	cut, next := ws.NewTextFrame(bytes.Repeat([]byte("x"), 200)), ws.NewBinaryFrame([]byte("next"))
	both := wstest.Masked(cut, next)
	for at := 1; at < len(both); at++ {
		c.Bytes(both[:at])
		c.Bytes(both[at:])
		echoes(t, c, cut)
		echoes(t, c, next)
	}
}

func TestSocketHandshakeIsChecked(t *testing.T) {
	t.Parallel()
	p := start(t)
	for request, status := range map[string]int{
		wstest.Handshake("/ws"):                                101,
		wstest.Handshake("/ws", "Sec-WebSocket-Version: 8"):    426,
		wstest.Handshake("/ws", "Upgrade:"):                    426,
		wstest.Handshake("/ws", "Sec-WebSocket-Key: c2hvcnQ="): 400,
		wstest.Handshake("/ws", "Sec-WebSocket-Key:"):          400,
		program.Get("/ws"):                                     426,
	} {
		a := p.ask("GET", request)
		expect(t, request, a.StatusCode, status)
		if status == 101 {
			expect(t, "acceptance", a.Header.Get("Sec-WebSocket-Accept"), wstest.Acceptance)
		} else {
			checkServerAndDate(t, a)
		}
	}
}

func TestMaxBodyBoundsMessages(t *testing.T) {
	t.Parallel()
	p := start(t, "-max-body", "10")
	c := p.socket()
	c.Write(ws.NewTextFrame([]byte("0123456789")))
	echoes(t, c, ws.NewTextFrame([]byte("0123456789")))
	c.Write(ws.NewTextFrame([]byte("0123456789a")))
	c.Closes(ws.StatusMessageTooBig)
}

// A client that does not read stops its own input, and nothing is lost.
func TestSocketMaxOutputLosesNothing(t *testing.T) {
	t.Parallel()
	c := start(t, "-max-output", "5000").socket()
	const n = 64
	message := ws.NewBinaryFrame(bytes.Repeat([]byte("0123456789abcdef"), 1<<14))
	sent := make(chan error, 1)
	go func() {
		_, err := c.Conn.Write(bytes.Repeat(wstest.Masked(message), n))
		sent <- err
	}()
	for range n {
		echoes(t, c, message)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

func TestDrainSendsACloseFrameToSockets(t *testing.T) {
	t.Parallel()
	p := start(t)
	c := p.socket()
	c.Write(ws.NewTextFrame([]byte("here")))
	echoes(t, c, ws.NewTextFrame([]byte("here")))
	p.Signal(syscall.SIGTERM)
	c.Closes(ws.StatusGoingAway)
	p.ExitsCleanly()
}
