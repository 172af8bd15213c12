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
	pinged  bool // a ping was sent and nothing received since
	leaving bool // send the close frame of a drain in OnDrain
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

// OnData handles complete frames until the output queue is full.
func (s *socket) OnData(c *eddy.Conn, in []byte) (used int) {
	s.pinged = false
	c.SetTimeout(s.options.Quiet)
	for c.Open() && !c.Full() {
		n, complete, err := s.in.parse(in[used:], s.options.MaxMessage)
		used += n
		if complete {
			err = s.handle(c)
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

// handle handles a complete frame.
func (s *socket) handle(c *eddy.Conn) error {
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

// fail ends the connection. An error other than a Failure is a protocol error.
func fail(c *eddy.Conn, err error) {
	if f, ok := errors.AsType[*Failure](err); ok {
		end(c, f.Code, f.Reason)
		return
	}
	end(c, ws.StatusProtocolError, err.Error())
}

// maxReason bounds the reason in a close frame, in bytes.
const maxReason = ws.MaxControlFramePayloadSize - 2

// end sends a close frame and closes the connection. Further input is discarded.
func end(c *eddy.Conn, code ws.StatusCode, reason string) {
	for len(reason) > maxReason || !utf8.ValidString(reason) {
		reason = reason[:min(len(reason)-1, maxReason)]
	}
	Send(c, ws.NewCloseFrame(ws.NewCloseFrameBody(code, reason)))
	c.Close()
}
