package eddy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"expvar"
	"fmt"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/loop"
)

// The counts of an engine among the program's other variables, which a net/http server
// shows under /debug/vars. The engine does not import expvar, because that would open
// this page in every program.
func ExampleEngine_Stats_expvar() {
	engine, err := eddy.New(eddy.Options{Loops: 1})
	if err != nil {
		panic(err)
	}
	expvar.Publish("eddy", expvar.Func(func() any { return engine.Stats() }))

	var shown eddy.Stats
	if err := json.Unmarshal([]byte(expvar.Get("eddy").String()), &shown); err != nil {
		panic(err)
	}
	fmt.Println(shown.Accepted, "accepted,", shown.Open(), "open")
	// Output: 0 accepted, 0 open
}

// lineCounts is what the protocol below counts on one loop.
type lineCounts struct{ Lines, Bytes uint64 }

// lines counts the lines that come in. Every loop has counts of its own, so that
// counting needs no lock.
type lines struct {
	loops loop.PerLoop[*lineHandler]
}

// Open returns the handler of the connection's loop.
func (p *lines) Open(c *eddy.Conn) eddy.Handler {
	return p.loops.Get(c.Loop(), func() *lineHandler {
		return &lineHandler{loop.NewCounts[lineCounts](c.Loop())}
	})
}

// Stats sums what the loops have published.
func (p *lines) Stats() (sum lineCounts) {
	p.loops.Each(func(_ *eddy.Loop, h *lineHandler) {
		c := h.counts.Read()
		sum.Lines += c.Lines
		sum.Bytes += c.Bytes
	})
	return sum
}

// lineHandler handles the connections of one loop.
type lineHandler struct {
	counts *loop.Counts[lineCounts]
}

func (*lineHandler) OnEvent(*eddy.Conn, eddy.Event) (handled bool) { return false }

func (h *lineHandler) OnData(_ *eddy.Conn, in []byte) (used int) {
	for {
		n := bytes.IndexByte(in[used:], '\n') + 1
		if n == 0 {
			return used
		}
		used += n
		h.counts.Own.Lines++
		h.counts.Own.Bytes += uint64(n)
	}
}

// A protocol that counts by itself.
func ExampleCounts() {
	engine, err := eddy.New(eddy.Options{Loops: 2})
	if err != nil {
		panic(err)
	}
	defer engine.Shutdown(context.Background())
	p := new(lines)
	if _, err := engine.Listen("tcp", "127.0.0.1:0", p.Open); err != nil {
		panic(err)
	}
	fmt.Println(p.Stats().Lines, "lines so far")
	// Output: 0 lines so far
}
