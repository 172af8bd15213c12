package main

import (
	"github.com/gobwas/ws"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/examples/internal/websocket"
)

// socket is a client that talks over WebSocket. It belongs to its loop.
type socket struct {
	room  *room
	after int64 // the last message that the client knows
}

// OnOpen sends what the client has missed, and enters the room under the same lock, so
// that nothing is lost or sent twice in between.
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
