package main

import (
	"cmp"

	"github.com/gobwas/ws"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/examples/internal/websocket"
	"github.com/eddynet/eddy/http1"
)

// socketMaxMessage bounds a message on /ws without -max-body.
const socketMaxMessage = 4 << 20

// socket echoes messages. maxBody is the limit set by a flag.
func socket(maxBody int64) http1.Handler {
	limits := websocket.Options{MaxMessage: int(cmp.Or(maxBody, socketMaxMessage))}
	return func(w *http1.Response, r *http1.Request) { websocket.Upgrade(w, r, mirror{}, limits) }
}

// mirror echoes each message.
type mirror struct{}

func (mirror) OnOpen(*eddy.Conn)  {}
func (mirror) OnClose(*eddy.Conn) {}

func (mirror) OnMessage(c *eddy.Conn, kind ws.OpCode, message []byte) error {
	websocket.Send(c, ws.NewFrame(kind, true, message))
	return nil
}
