package main

import (
	"errors"

	"github.com/eddynet/eddy"
)

// server is the protocol. All loops use one store.
type server struct{ store *store }

// Open makes room for the largest command, and for what one read brings behind it.
func (s server) Open(c *eddy.Conn) eddy.Handler {
	settings := *c.Settings()
	settings.MaxInput = max(settings.MaxInput, maxCommand+64<<10)
	c.SetSettings(&settings)
	return &session{server: s}
}

// session is one connection.
type session struct {
	server
	cmd command // that is coming in
}

func (*session) OnEvent(*eddy.Conn, eddy.Event) (handled bool) { return false }

// OnData runs the commands that are complete, while there is room for answers. All of
// them leave in one write.
func (s *session) OnData(c *eddy.Conn, in []byte) (used int) {
	for c.Open() && !c.Full() {
		n, err := s.cmd.parse(in[used:])
		if err != nil {
			writeError(c.Out(), "ERR Protocol error: ", err.Error())
			c.Close()
			return len(in)
		}
		if n == 0 {
			return used
		}
		if len(s.cmd.args) > 0 {
			s.run(c, s.cmd.args)
		}
		used += n
		s.cmd.reset()
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
