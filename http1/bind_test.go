package http1_test

import (
	"testing"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// sniffing hands its connections to the instance of another protocol.
type sniffing struct {
	to    eddy.Binder
	bound eddy.Protocol // on this loop
}

func (s sniffing) Bind(l *eddy.Loop) eddy.Protocol   { return sniffing{bound: s.to.Bind(l)} }
func (sniffing) OnOpen(*eddy.Conn)                   {}
func (sniffing) OnClose(*eddy.Conn, error)           {}
func (s sniffing) OnData(c *eddy.Conn, _ []byte) int { c.Become(s.bound); return 0 }

func TestBecomeWithAnInstance(t *testing.T) {
	s := serve(t, func(w *http1.Response, _ *http1.Request) { w.WriteString("hello") }, http1.Options{})
	ln, err := s.engine.Listen("tcp", "127.0.0.1:0", sniffing{to: s.http})
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	for range 10 {
		c := s.dial()
		c.send(get("/"))
		expect(t, "body", string(c.answer("GET").body), "hello")
		c.conn.Close()
	}
	s.counts(http1.Stats{Requests: 10, Responses: [6]uint64{2: 10}})
}
