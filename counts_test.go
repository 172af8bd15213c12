package eddy_test

import (
	"io"
	"testing"

	"github.com/eddynet/eddy"
)

func TestProtocolCountsForItself(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 2})
	p := new(lines)
	ln := listen(t, e, "tcp", "127.0.0.1:0", p.Open)
	run(e)
	const clients = 8
	for range clients {
		if _, err := io.WriteString(dial(t, ln.Addr()), "one\ntwo\nthr"); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "all lines are counted", func() bool { return p.Stats() == lineCounts{2 * clients, 8 * clients} })
}

func TestDialledConnectionsAreCountedApart(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeter("hello"))
	run(e)
	done := make(chan error, 2)
	for _, address := range []string{ln.Addr().String(), "127.0.0.1:1"} {
		err := e.Dial("tcp", address, greeter(""), patience, func(_ *eddy.Conn, err error) { done <- err })
		if err != nil {
			t.Fatal(err)
		}
	}
	receive(t, done, "the first dial ends")
	receive(t, done, "the second dial ends")
	await(t, "both are counted", func() bool {
		s := e.Stats()
		return s.Accepted == 1 && s.Dialled == 1 && s.DialErrors == 1 && s.Open() == 2
	})
}
