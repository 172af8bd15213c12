package main

import (
	"errors"

	"github.com/eddynet/eddy"
)

// server is the protocol. All loops share it and its store.
type server struct{ store *store }

// Tune raises MaxInput to the largest command plus one read.
func (s server) Tune(settings *eddy.Settings) error {
	settings.MaxInput = max(settings.MaxInput, maxCommand+64<<10)
	return nil
}

func (s server) OnOpen(c *eddy.Conn)             { c.SetState(&command{}) }
func (s server) OnClose(c *eddy.Conn, err error) {}

// OnData runs the complete commands until the output queue is full. All replies are sent
// in one write.
func (s server) OnData(c *eddy.Conn, in []byte) (used int) {
	cmd := c.State().(*command)
	for c.Open() && !c.Full() {
		n, err := cmd.parse(in[used:])
		if err != nil {
			writeError(c.Out(), "ERR Protocol error: ", err.Error())
			c.Close()
			return len(in)
		}
		if n == 0 {
			return used
		}
		if len(cmd.args) > 0 {
			s.run(c, cmd.args)
		}
		used += n
		cmd.reset()
	}
	return used
}

// Limits of the input buffered for a client. Those of Redis are larger.
const (
	maxInline  = 64 << 10
	maxArgs    = 1024
	maxBulk    = 1 << 20
	maxCommand = 4 << 20
)

// The protocol errors, with Redis's texts. Each ends the connection.
var (
	errInlineTooBig   = errors.New("too big inline request")
	errCountTooBig    = errors.New("too big mbulk count string")
	errCount          = errors.New("invalid multibulk length")
	errLengthTooBig   = errors.New("too big bulk count string")
	errLength         = errors.New("invalid bulk length")
	errCommandTooBig  = errors.New("too big request")
	errBulkTerminator = errors.New("bulk string not followed by CRLF")
)
