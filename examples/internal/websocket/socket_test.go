package websocket_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/examples/internal/program"
	"github.com/eddynet/eddy/examples/internal/websocket"
	"github.com/eddynet/eddy/examples/internal/websocket/wstest"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/loop"
)

const maxMessage = 1000

// echo echoes messages, except two that make it fail.
type echo struct{ ended chan<- error }

func (echo) OnOpen(*eddy.Conn)      {}
func (e echo) OnClose(c *eddy.Conn) { e.ended <- c.Err() }

func (echo) OnMessage(c *eddy.Conn, kind ws.OpCode, message []byte) error {
	switch string(message) {
	case "fail":
		return &websocket.Failure{Code: 4001, Reason: "as you wish"}
	case "break":
		return errors.New(strings.Repeat("\u00fc", 100))
	}
	websocket.Send(c, ws.NewFrame(kind, true, message))
	return nil
}

// server echoes on every path.
type server struct {
	address string
	ended   chan error         // Conn.Err in OnClose, one for each connection
	drain   context.CancelFunc // begins the end
	done    chan error         // what Run returned
}

func serve(t *testing.T, engine eddy.Options, o websocket.Options) *server {
	t.Helper()
	s := &server{ended: make(chan error, 1000), done: make(chan error, 1)}
	e, err := eddy.New(engine)
	if err != nil {
		t.Fatal(err)
	}
	handler := func(w *http1.Response, r *http1.Request) { websocket.Upgrade(w, r, echo{s.ended}, o) }
	protocol, err := http1.New(handler, http1.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := e.Listen("tcp", "127.0.0.1:0", protocol.Open)
	if err != nil {
		t.Fatal(err)
	}
	s.address = ln.Addr().String()
	ctx, drain := context.WithCancel(context.Background())
	s.drain = drain
	go func() { s.done <- e.Run(ctx) }()
	t.Cleanup(func() {
		drain()
		if err := within(t, s.done); err != nil {
			t.Errorf("the drain ended with %v", err)
		}
	})
	return s
}

// within receives a value within program.Patience.
func within[T any](t *testing.T, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(program.Patience):
		t.Fatalf("nothing received within %v", program.Patience)
	}
	return v
}

func (s *server) dial(t *testing.T) *wstest.Client {
	t.Helper()
	return wstest.Dial(t, "ws://"+s.address+"/")
}

func text(s string) ws.Frame { return ws.NewTextFrame([]byte(s)) }

// conversation has every kind of frame, and fragments that split a UTF-8 sequence, with
// a ping between them.
var conversation = []ws.Frame{
	text("one"),
	ws.NewBinaryFrame([]byte{0xFF, 0}),
	ws.NewFrame(ws.OpText, false, []byte("f\xc3")),
	ws.NewPingFrame([]byte("between")),
	ws.NewFrame(ws.OpContinuation, false, nil),
	ws.NewPongFrame([]byte("unasked")),
	ws.NewFrame(ws.OpContinuation, true, []byte("\xbcnf")),
	text(""),
	text(strings.Repeat("x", 200)), // a longer header
	ws.NewPingFrame(nil),
	ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "bye")),
}

// converses expects the replies to conversation.
func converses(t *testing.T, c *wstest.Client) {
	t.Helper()
	for _, want := range []ws.Frame{
		text("one"), ws.NewBinaryFrame([]byte{0xFF, 0}), ws.NewPongFrame([]byte("between")),
		text("f\u00fcnf"), text(""), text(strings.Repeat("x", 200)), ws.NewPongFrame(nil),
	} {
		if got := c.Read(want.Header.OpCode); !bytes.Equal(got, want.Payload) {
			t.Errorf("got %q, want %q", got, want.Payload)
		}
	}
	c.Closes(ws.StatusNormalClosure)
}

func TestFramesInOneWrite(t *testing.T) {
	s := serve(t, eddy.Options{}, websocket.Options{MaxMessage: maxMessage})
	c := s.dial(t)
	c.Write(conversation...)
	converses(t, c)
}

func TestFramesWithTheHandshake(t *testing.T) {
	s := serve(t, eddy.Options{}, websocket.Options{MaxMessage: maxMessage})
	raw := program.Dial(t, s.address)
	raw.Send(wstest.Handshake("/") + string(wstest.Masked(conversation...)))
	if got := raw.Answer("GET").StatusCode; got != 101 {
		t.Fatalf("got status %d", got)
	}
	converses(t, wstest.New(t, raw.Conn, raw.Buffered()))
}

func TestFramesByteByByte(t *testing.T) {
	s := serve(t, eddy.Options{}, websocket.Options{MaxMessage: maxMessage})
	c := s.dial(t)
	for _, b := range wstest.Masked(conversation...) {
		c.Bytes([]byte{b})
	}
	converses(t, c)
}

func TestErrorsHaveAStatus(t *testing.T) {
	s := serve(t, eddy.Options{}, websocket.Options{MaxMessage: maxMessage})
	large := bytes.Repeat([]byte("x"), maxMessage)
	half := ws.NewFrame(ws.OpText, false, large[:maxMessage/2])
	for name, test := range map[string]struct {
		sent   []byte
		status ws.StatusCode
	}{
		"unmasked":                {ws.MustCompileFrame(text("x")), 1002},
		"reserved bit":            {[]byte{0xC1, 0x80, 0, 0, 0, 0}, 1002},
		"reserved code":           {[]byte{0x83, 0x80, 0, 0, 0, 0}, 1002},
		"long ping":               {wstest.Masked(ws.NewPingFrame(large[:126])), 1002},
		"ping in fragments":       {wstest.Masked(ws.NewFrame(ws.OpPing, false, nil)), 1002},
		"nothing to continue":     {wstest.Masked(ws.NewFrame(ws.OpContinuation, true, nil)), 1002},
		"text inside text":        {wstest.Masked(ws.NewFrame(ws.OpText, false, nil), text("x")), 1002},
		"close with half a code":  {wstest.Masked(ws.NewCloseFrame([]byte{3})), 1002},
		"close with a bad code":   {wstest.Masked(ws.NewCloseFrame([]byte{0x03, 0xED})), 1002}, // 1005
		"not UTF-8":               {wstest.Masked(ws.NewTextFrame([]byte{0xFF})), 1007},
		"large":                   {wstest.Masked(ws.NewTextFrame(append(large, 'x'))), 1009},
		"large in fragments":      {wstest.Masked(half, ws.NewFrame(ws.OpContinuation, true, large[:maxMessage/2+1])), 1009},
		"huge, only the header":   {[]byte{0x81, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0}, 1009},
		"length with its top bit": {[]byte{0x81, 0xFF, 0xFF, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0}, 1002},
		"close without a code":    {wstest.Masked(ws.NewCloseFrame(nil)), 1000},
		"close":                   {wstest.Masked(ws.NewCloseFrame(ws.NewCloseFrameBody(4000, "bye"))), 4000},
		"the handler fails":       {wstest.Masked(text("fail")), 4001},
		"the handler breaks":      {wstest.Masked(text("break")), 1011},
		"and not what follows":    {wstest.Masked(ws.NewCloseFrame(nil), text("x"), ws.NewPingFrame(nil)), 1000},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.dial(t)
			c.Bytes(test.sent)
			c.Closes(test.status)
			if err := within(t, s.ended); err != nil {
				t.Errorf("Conn.Err in OnClose is %v", err)
			}
		})
	}
	c := s.dial(t)
	c.Write(half, ws.NewFrame(ws.OpContinuation, true, large[:maxMessage/2]))
	if got := len(c.Read(ws.OpText)); got != maxMessage {
		t.Errorf("at the limit: echo of %d bytes", got)
	}
}

// The reason must fit into a control frame, and be UTF-8.
func TestReasonIsCutToFit(t *testing.T) {
	s := serve(t, eddy.Options{}, websocket.Options{MaxMessage: maxMessage})
	c := s.dial(t)
	c.Write(text("break"))
	if got, want := c.Closes(1011), strings.Repeat("\u00fc", 61); got != want {
		t.Errorf("the reason is %q, want %q", got, want)
	}
}

func TestQuietClientIsPinged(t *testing.T) {
	s := serve(t, eddy.Options{}, websocket.Options{Quiet: 20 * time.Millisecond, Pong: program.Patience})
	c := s.dial(t)
	for range 3 {
		c.Read(ws.OpPing)
		c.Write(ws.NewPongFrame(nil))
	}
	c.Write(ws.NewCloseFrame(nil))
	for { // a ping may be in flight
		f, err := ws.ReadFrame(c.Conn)
		if err != nil {
			t.Fatal(err)
		}
		if f.Header.OpCode == ws.OpClose {
			break
		}
	}
}

func TestClientWithoutPongIsReset(t *testing.T) {
	s := serve(t, eddy.Options{}, websocket.Options{Quiet: 20 * time.Millisecond, Pong: 20 * time.Millisecond})
	c := s.dial(t)
	c.Read(ws.OpPing)
	if err := within(t, s.ended); !errors.Is(err, loop.ErrTimeout) {
		t.Errorf("Conn.Err in OnClose is %v", err)
	}
	if _, err := c.Conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection ended with %v, want a reset", err)
	}
}

// small has limits far below the data sent by stalled.
var small = eddy.Options{Loops: 1, HighWater: 8 << 10, MaxOutput: 16 << 10}

// stalled returns a client that has sent for that time without reading.
func stalled(t *testing.T, s *server, d time.Duration) *wstest.Client {
	t.Helper()
	all := bytes.Repeat(wstest.Masked(ws.NewBinaryFrame(make([]byte, 256<<10))), 100)
	c := s.dial(t)
	if err := c.Conn.SetWriteDeadline(time.Now().Add(d)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Conn.Write(all); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes of %d were accepted although the client does not read: %v", n, len(all), err)
	}
	return c
}

// A stalled client is not read, so its silence is no reason for a ping.
func TestStalledClientIsNotPinged(t *testing.T) {
	s := serve(t, small, websocket.Options{MaxMessage: 1 << 20, Quiet: 200 * time.Millisecond, Pong: time.Second})
	stalled(t, s, 1500*time.Millisecond)
	select {
	case err := <-s.ended:
		t.Fatalf("the connection ended: %v", err)
	default:
	}
}

func TestCloseFrameFollowsPendingOutput(t *testing.T) {
	s := serve(t, small, websocket.Options{MaxMessage: 1 << 20})
	c, other := stalled(t, s, 500*time.Millisecond), s.dial(t)
	other.Write(text("here"))
	other.Read(ws.OpText)
	s.drain()
	other.Closes(ws.StatusGoingAway) // both are on one loop, which drains them together
	for answers := 0; ; answers++ {
		f, err := ws.ReadFrame(c.Conn)
		if err != nil {
			t.Fatalf("after %d replies: %v", answers, err)
		}
		if f.Header.OpCode == ws.OpClose {
			return
		}
	}
}

func TestDrainSendsACloseFrame(t *testing.T) {
	s := serve(t, eddy.Options{}, websocket.Options{MaxMessage: maxMessage})
	c := s.dial(t)
	c.Write(text("here"))
	c.Read(ws.OpText)
	s.drain()
	c.Closes(ws.StatusGoingAway)
}
