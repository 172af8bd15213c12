package websocket

import (
	"errors"
	"unicode/utf8"

	"github.com/gobwas/ws"

	"github.com/eddynet/eddy"
)

var errNotUTF8 = &Failure{ws.StatusInvalidFramePayloadData, "text must be UTF-8"}

// socket is one connection. It belongs to its loop.
type socket struct {
	handler Handler
	options Options
	in      input
	pinged  bool // and no sign of life since
	leaving bool // the server ends, and says so when there is room
}

// open is the protocol of this connection.
func (s *socket) open(c *eddy.Conn) eddy.Handler {
	c.SetTimeout(s.options.Quiet)
	s.handler.OnOpen(c)
	return s
}

func (s *socket) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) {
	switch e {
	case eddy.EventTimeout:
		return s.timeout(c)
	case eddy.EventShutdown:
		if s.leaving = c.Full(); !s.leaving {
			end(c, ws.StatusGoingAway, "")
		}
		return true
	case eddy.EventWritable:
		if s.leaving {
			end(c, ws.StatusGoingAway, "")
		}
	case eddy.EventClosed:
		s.handler.OnClose(c)
	}
	return false
}

// timeout finds out whether a client that is quiet is still there: one that does not
// answer a ping is left to the default action. While its output is full, it is not read:
// whether it takes that is up to the engine's WriteTimeout.
func (s *socket) timeout(c *eddy.Conn) (handled bool) {
	switch {
	case c.Full():
		c.SetTimeout(s.options.Quiet)
	case s.pinged:
		return false
	default:
		s.pinged = true
		Send(c, ws.NewPingFrame(nil))
		c.SetTimeout(s.options.Pong)
	}
	return true
}

// OnData acts on the frames that are complete, while there is room for answers.
func (s *socket) OnData(c *eddy.Conn, in []byte) (used int) {
	s.pinged = false
	c.SetTimeout(s.options.Quiet)
	for c.Open() && !c.Full() {
		n, complete, err := s.in.take(in[used:], s.options.MaxMessage)
		used += n
		if complete {
			err = s.act(c)
		}
		if err != nil {
			fail(c, err)
			return len(in)
		}
		if n == 0 {
			break
		}
	}
	return used
}

// act acts on a frame that is complete.
func (s *socket) act(c *eddy.Conn) error {
	if s.in.header.OpCode.IsControl() {
		payload := s.in.control
		s.in.control = nil
		switch s.in.header.OpCode {
		case ws.OpPing:
			Send(c, ws.NewPongFrame(payload))
		case ws.OpClose:
			return closed(c, payload)
		}
		return nil
	}
	if s.in.fragmented {
		return nil
	}
	message := s.in.message
	s.in.message = nil
	if s.in.kind == ws.OpText && !utf8.Valid(message) {
		return errNotUTF8
	}
	if err := s.handler.OnMessage(c, s.in.kind, message); err != nil {
		if f, ok := errors.AsType[*Failure](err); ok {
			return f
		}
		return &Failure{ws.StatusInternalServerError, err.Error()}
	}
	return nil
}

// closed answers the client's close frame with the same code.
func closed(c *eddy.Conn, payload []byte) error {
	if len(payload) == 0 {
		end(c, ws.StatusNormalClosure, "")
		return nil
	}
	code, reason := ws.ParseCloseFrameData(payload)
	if err := ws.CheckCloseFrameData(code, reason); err != nil {
		return err
	}
	end(c, code, "")
	return nil
}

// fail ends the connection. What is no Failure is a broken frame.
func fail(c *eddy.Conn, err error) {
	if f, ok := errors.AsType[*Failure](err); ok {
		end(c, f.Code, f.Reason)
		return
	}
	end(c, ws.StatusProtocolError, err.Error())
}

// maxReason is what fits into a close frame behind its code, in bytes.
const maxReason = ws.MaxControlFramePayloadSize - 2

// end says goodbye, and closes behind it. What the client still sends is read away.
func end(c *eddy.Conn, code ws.StatusCode, reason string) {
	for len(reason) > maxReason || !utf8.ValidString(reason) {
		reason = reason[:min(len(reason)-1, maxReason)]
	}
	Send(c, ws.NewCloseFrame(ws.NewCloseFrameBody(code, reason)))
	c.Close()
}
