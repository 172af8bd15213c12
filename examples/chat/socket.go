package main

import (
	"github.com/gobwas/ws"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/examples/internal/websocket"
)

// socket is a client over WebSocket. It belongs to its loop.
type socket struct {
	room  *room
	after int64 // number of the client's last message
}

// OnOpen sends missed messages and adds the socket to the room under the same lock, so
// that no message is lost or sent twice.
func (s *socket) OnOpen(c *eddy.Conn) {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if news := s.room.since(s.after); news != nil {
		websocket.Send(c, ws.NewTextFrame(news))
	}
	s.room.sockets[s] = c.Ref()
}

func (s *socket) OnClose(*eddy.Conn) {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	delete(s.room.sockets, s)
}

func (s *socket) OnMessage(_ *eddy.Conn, kind ws.OpCode, message []byte) error {
	if kind != ws.OpText {
		return &websocket.Failure{Code: ws.StatusUnsupportedData, Reason: "only text is understood"}
	}
	if err := s.room.say(message, "socket"); err != nil {
		return &websocket.Failure{Code: ws.StatusPolicyViolation, Reason: err.Error()}
	}
	return nil
}
