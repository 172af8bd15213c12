package eddy_test

import (
	"bytes"
	"encoding/json"
	"expvar"
	"fmt"
	"sync"

	"github.com/eddynet/eddy"
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

// lines counts the lines that come in. Every loop has a counter of its own, so that
// counting needs no lock.
type lines struct {
	mu    sync.Mutex
	loops map[*eddy.Loop]*linesOnLoop // guarded by mu
}

func (p *lines) Bind(l *eddy.Loop) eddy.Protocol {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.loops[l] == nil {
		p.loops[l] = &linesOnLoop{lines: p, counts: eddy.NewCounts[lineCounts](l)}
	}
	return p.loops[l]
}

// Stats sums what the loops have published.
func (p *lines) Stats() (sum lineCounts) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.loops {
		c := one.counts.Read()
		sum.Lines += c.Lines
		sum.Bytes += c.Bytes
	}
	return sum
}

func (*lines) OnOpen(*eddy.Conn)             {}
func (*lines) OnData(*eddy.Conn, []byte) int { return 0 }
func (*lines) OnClose(*eddy.Conn, error)     {}

type linesOnLoop struct {
	*lines
	counts *eddy.Counts[lineCounts]
}

func (p *linesOnLoop) OnData(_ *eddy.Conn, in []byte) (used int) {
	for {
		n := bytes.IndexByte(in[used:], '\n') + 1
		if n == 0 {
			return used
		}
		used += n
		p.counts.Own.Lines++
		p.counts.Own.Bytes += uint64(n)
	}
}

// A protocol that counts by itself.
func ExampleCounts() {
	engine, err := eddy.New(eddy.Options{Loops: 2})
	if err != nil {
		panic(err)
	}
	p := &lines{loops: map[*eddy.Loop]*linesOnLoop{}}
	if _, err := engine.Listen("tcp", "127.0.0.1:0", p); err != nil {
		panic(err)
	}
	fmt.Println(p.Stats().Lines, "lines so far")
	// Output: 0 lines so far
}
