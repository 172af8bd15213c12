// Package websocket serves WebSocket (RFC 6455) on the loop, for the examples: without a
// goroutine, and without a buffer between messages. Frames are parsed with
// github.com/gobwas/ws.
package websocket

import (
	"time"

	"github.com/gobwas/ws"

	"github.com/eddynet/eddy"
)

// Handler handles the messages of one connection. Its methods run on the connection's
// loop.
type Handler interface {
	// OnOpen is called once, before anything else.
	OnOpen(c *eddy.Conn)
	// OnMessage is called for each message. kind is ws.OpText, and then message is
	// UTF-8, or ws.OpBinary. The message belongs to the handler. An error ends the
	// connection: a *Failure with its code, any other with 1011.
	OnMessage(c *eddy.Conn, kind ws.OpCode, message []byte) error
	// OnClose is called once, after everything else. Conn.Err is the cause.
	OnClose(c *eddy.Conn)
}

// Options are the limits of a connection.
type Options struct {
	MaxMessage int           // bytes of a message, in all its fragments
	Quiet      time.Duration // without input before a ping is sent; 30s if 0
	Pong       time.Duration // for input after the ping; 10s if 0
}

// Failure is an error that is sent to the client in a close frame.
type Failure struct {
	Code   ws.StatusCode
	Reason string
}

func (f *Failure) Error() string { return f.Reason }

// Send appends a frame to the pending output. A failed connection is reported by
// OnClose. Call it on the connection's loop.
func Send(c *eddy.Conn, f ws.Frame) {
	_ = ws.WriteFrame(c, f) // a Conn is an io.Writer
}
