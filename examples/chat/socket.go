package main

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/eddynet/eddy"
)

// Deadlines of a socket: for a sign of life, and then for the answer to a ping.
const (
	quiet = 30 * time.Second
	pong  = 10 * time.Second
)

// socket is a connection that speaks WebSocket (RFC 6455). It belongs to its loop.
type socket struct {
	room       *room
	after      int64  // the last message that the client knows
	fragmented bool   // the first fragment of a message has come, and not the last
	message    []byte // the fragments so far
	pinged     bool   // and no sign of life since
}

// OnOpen sends what the client has missed, and enters the room under the same lock, so
// that nothing is lost or sent twice in between.
func (s *socket) OnOpen(c *eddy.Conn) {
	c.SetDeadline(quiet)
	if c.Loop().Draining() {
		s.OnShutdown(c)
		return
	}
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if news := s.room.since(s.after); news != nil {
		s.send(c, ws.NewTextFrame(news))
	}
	s.room.sockets[s] = c.Ref()
}

func (s *socket) OnClose(*eddy.Conn, error) {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	delete(s.room.sockets, s)
}

// OnShutdown is called when the server is about to end.
func (s *socket) OnShutdown(c *eddy.Conn) { s.end(c, ws.StatusGoingAway, "") }

// OnTimeout finds out whether a client that is quiet is still there.
func (s *socket) OnTimeout(c *eddy.Conn) {
	if s.pinged {
		c.Abort(eddy.ErrTimeout)
		return
	}
	s.pinged = true
	s.send(c, ws.NewPingFrame(nil))
	c.SetDeadline(pong)
}

// OnData takes the frames that are complete.
func (s *socket) OnData(c *eddy.Conn, in []byte) (used int) {
	s.pinged = false
	c.SetDeadline(quiet)
	for c.Open() && !c.Full() {
		frame, size, err := s.frame(in[used:])
		if err != nil {
			s.fail(c, err)
			return len(in)
		}
		if size == 0 {
			return used
		}
		used += size
		if err := s.take(c, frame); err != nil {
			s.fail(c, err)
			return len(in)
		}
	}
	return used
}

// frame returns the frame at the beginning of in, unmasked, and its size: 0 if there is
// more to come.
func (s *socket) frame(in []byte) (f ws.Frame, size int, err error) {
	r := bytes.NewReader(in)
	f.Header, err = ws.ReadHeader(r)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return f, 0, nil
	case err != nil:
		return f, 0, err
	}
	state := ws.StateServerSide
	if s.fragmented {
		state |= ws.StateFragmented
	}
	if err := ws.CheckHeader(f.Header, state); err != nil {
		return f, 0, err
	}
	if !f.Header.OpCode.IsControl() && f.Header.Length > int64(maxMessage-len(s.message)) {
		return f, 0, errTooBig
	}
	start := len(in) - r.Len()
	size = start + int(f.Header.Length)
	if size > len(in) {
		return f, 0, nil
	}
	f.Payload = in[start:size]
	ws.Cipher(f.Payload, f.Header.Mask, 0)
	return f, size, nil
}

// take acts on a frame.
func (s *socket) take(c *eddy.Conn, f ws.Frame) error {
	switch f.Header.OpCode {
	case ws.OpPing:
		s.send(c, ws.NewPongFrame(f.Payload))
		return nil
	case ws.OpPong:
		return nil
	case ws.OpClose:
		return s.closed(c, f.Payload)
	case ws.OpBinary:
		return errBinary
	}
	// Text, or a fragment that goes on with it.
	s.fragmented = !f.Header.Fin
	s.message = append(s.message, f.Payload...)
	if s.fragmented {
		return nil
	}
	text := s.message
	s.message = nil
	if !utf8.Valid(text) {
		return errNotUTF8
	}
	if err := s.room.say(text, "socket"); err != nil {
		return &failure{ws.StatusPolicyViolation, err.Error()}
	}
	return nil
}

// closed answers the client's close frame with the same code.
func (s *socket) closed(c *eddy.Conn, payload []byte) error {
	if len(payload) == 0 {
		s.end(c, ws.StatusNormalClosure, "")
		return nil
	}
	code, reason := ws.ParseCloseFrameData(slices.Clone(payload))
	if err := ws.CheckCloseFrameData(code, reason); err != nil {
		return err
	}
	s.end(c, code, "")
	return nil
}

// failure is a reason to end a connection other than a broken frame.
type failure struct {
	code   ws.StatusCode
	reason string
}

func (f *failure) Error() string { return f.reason }

var (
	errTooBig  = &failure{ws.StatusMessageTooBig, "message too big"}
	errBinary  = &failure{ws.StatusUnsupportedData, "only text is understood"}
	errNotUTF8 = &failure{ws.StatusInvalidFramePayloadData, "text must be UTF-8"}
)

func (s *socket) fail(c *eddy.Conn, err error) {
	if f, ok := errors.AsType[*failure](err); ok {
		s.end(c, f.code, f.reason)
		return
	}
	s.end(c, ws.StatusProtocolError, err.Error())
}

// end says goodbye, and closes behind it. What the client still sends is read away.
func (s *socket) end(c *eddy.Conn, code ws.StatusCode, reason string) {
	s.send(c, ws.NewCloseFrame(ws.NewCloseFrameBody(code, reason)))
	c.Close()
}

// send writes a frame. A failure has ended the connection.
func (s *socket) send(c *eddy.Conn, f ws.Frame) {
	_ = ws.WriteFrame(c, f) // a Conn is an io.Writer
}
