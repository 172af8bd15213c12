package loop

import (
	"bytes"
	"testing"
)

// lender is a script with memory of its own for input.
type lender struct {
	*script
	space  func(c *Conn) []byte
	filled func(c *Conn, n int)
}

func (p lender) InputSpace(c *Conn) []byte { return p.space(c) }
func (p lender) OnFilled(c *Conn, n int)   { p.filled(c, n) }

func TestInputGoesWhereTheProtocolWantsIt(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		want := pattern(3 << 20)
		got := make([]byte, 0, len(want)-1000) // the rest is left to OnData
		p := lender{script: &script{}}
		p.space = func(*Conn) []byte { return got[len(got):cap(got)] }
		p.filled = func(_ *Conn, n int) {
			if n > maxFill {
				t.Errorf("%d bytes were read at once", n)
			}
			got = got[:len(got)+n]
		}
		_, peer := r.open(pair, p)
		sent := 0
		r.until("all has come", func() bool {
			sent += peer.offer(want[sent:])
			return len(got)+len(p.input) == len(want)
		})
		if !bytes.Equal(append(got, p.input...), want) {
			t.Error("the bytes differ from what was sent")
		}
		if got := r.loop.count.BytesRead; got != uint64(len(want)) {
			t.Errorf("%d bytes were counted", got)
		}
	})
}

func TestUnusedInputComesBeforeASpace(t *testing.T) {
	r := newRig(t)
	p := lender{script: &script{}}
	p.data = func(_ *Conn, in []byte) int {
		if in[len(in)-1] != ';' {
			return 0
		}
		return len(in)
	}
	asked := 0
	p.space = func(*Conn) []byte { asked++; return nil }
	_, peer := r.open(unixPair, p)
	for _, part := range []string{"a", "b;", "c;"} {
		peer.send(part)
		before := p.count("data:")
		r.until("the part arrives", func() bool { return p.count("data:") > before })
	}
	p.expect(t, "open", "data:a", "data:ab;", "data:c;")
	if asked != 2 {
		t.Errorf("asked for space %d times, want 2", asked)
	}
}

// TestSpaceComesBackEmpty before the end of input, a failure, or if nothing has come.
func TestSpaceComesBackEmpty(t *testing.T) {
	r := newRig(t)
	p := lender{script: &script{}}
	p.space = func(*Conn) []byte { return make([]byte, 10) }
	p.filled = func(_ *Conn, n int) { p.note(string(rune('0' + n))) }
	c, peer := r.open(unixPair, struct {
		lender
		EOFHandler
	}{p, withEOF{p.script, nil}})
	r.loop.current = c
	c.receive() // nothing is there
	r.loop.current = nil
	p.expect(t, "open", "0")
	peer.send("abc")
	r.until("input arrives", func() bool { return p.count("3") == 1 })
	peer.shutWrite()
	r.until("the end arrives", func() bool { return p.count("eof") == 1 })
	p.expect(t, "open", "0", "3", "0", "eof")
}

func TestNothingIsReadWhenTheProtocolPausesAtTheSpace(t *testing.T) {
	r := newRig(t)
	p := lender{script: &script{}}
	pause := true
	p.space = func(c *Conn) []byte {
		if pause {
			c.PauseRead()
		}
		return nil
	}
	c, peer := r.open(unixPair, p)
	peer.send("abc")
	r.until("reading is paused", func() bool { return !c.wantsRead() })
	r.settled()
	p.expect(t, "open")
	pause = false
	c.ResumeRead()
	r.until("input arrives", func() bool { return p.count("data:") == 1 })
	p.expect(t, "open", "data:abc")
}

func TestPanicAboutTheSpaceCostsOneConnection(t *testing.T) {
	for _, at := range []string{"InputSpace", "OnFilled"} {
		r := newRig(t)
		p := lender{script: &script{}}
		p.space = func(*Conn) []byte {
			if at == "InputSpace" {
				panic("on purpose")
			}
			return make([]byte, 10)
		}
		p.filled = func(*Conn, int) { panic("on purpose") }
		_, peer := r.open(unixPair, p)
		peer.send("abc")
		r.until("the connection ends", p.ended)
		p.expect(t, "open", "close:eddy: callback panicked: on purpose")
		if n := r.loop.count.Panics; n != 1 {
			t.Errorf("%s: %d panics were counted", at, n)
		}
	}
}

type eofLender struct {
	lender
	eof func(c *Conn)
}

func (p eofLender) OnEOF(c *Conn) { p.eof(c) }

// OnFilled may close when nothing has come.
func TestNoEndIsToldAfterClose(t *testing.T) {
	r := newRig(t)
	told := 0
	p := eofLender{lender{script: &script{}}, func(*Conn) { told++ }}
	p.space = func(*Conn) []byte { return make([]byte, 10) }
	p.filled = func(c *Conn, n int) {
		if n == 0 {
			c.Close()
		}
	}
	_, peer := r.open(unixPair, p)
	peer.close()
	r.until("the connection ends", p.ended)
	if told > 0 {
		t.Error("OnEOF was called after Close")
	}
}

// Memory is given back also if InputSpace has paused the connection.
func TestLentMemoryIsGivenBackUnread(t *testing.T) {
	r := newRig(t)
	p := lender{script: &script{}}
	lent := 0
	p.space = func(c *Conn) []byte { lent++; c.PauseRead(); return make([]byte, 10) }
	p.filled = func(*Conn, int) { lent-- }
	c, peer := r.open(unixPair, p)
	peer.send("abc")
	r.until("reading is paused", func() bool { return !c.wantsRead() })
	r.settled()
	if lent != 0 {
		t.Error("the space was not given back by OnFilled")
	}
}
