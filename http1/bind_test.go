package http1_test

import (
	"testing"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// sniffing leaves its connections to another protocol when input has come.
type sniffing struct{ to eddy.Protocol }

func (s sniffing) Open(*eddy.Conn) eddy.Handler      { return s }
func (s sniffing) OnData(c *eddy.Conn, _ []byte) int { c.SetProtocol(s.to); return 0 }
func (sniffing) OnEvent(*eddy.Conn, eddy.Event) bool { return false }

func TestSetProtocolWhenInputHasCome(t *testing.T) {
	s := serve(t, func(w *http1.Response, _ *http1.Request) { w.WriteString("hello") }, http1.Options{})
	ln, err := s.engine.Listen("tcp", "127.0.0.1:0", sniffing{s.http.Open}.Open)
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
