package loop

import (
	"bytes"
	"testing"
)

// supplier is a script that supplies memory for input.
type supplier struct {
	*script
	space  func(c *Conn) []byte
	filled func(c *Conn, n int)
	event  func(c *Conn, e Event) bool // nil for the script's

	out bool // the memory is the loop's
}

func (p *supplier) Open(c *Conn) Handler { return p.opened(c, p) }

func (p *supplier) ReadBuffer(c *Conn) []byte {
	space := p.space(c)
	p.out = len(space) > 0
	return space
}

func (p *supplier) OnData(c *Conn, in []byte) int {
	if !p.out {
		return p.script.OnData(c, in)
	}
	p.out = false
	p.filled(c, len(in))
	return len(in)
}

func (p *supplier) OnEvent(c *Conn, e Event) bool {
	if p.event != nil && e != EventClosed {
		return p.event(c, e)
	}
	return p.script.OnEvent(c, e)
}

func TestInputGoesWhereTheProtocolWantsIt(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		want := pattern(3 << 20)
		got := make([]byte, 0, len(want)-1000) // the rest is left to OnData
		p := &supplier{script: &script{}}
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
	p := &supplier{script: &script{}}
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
	p := &supplier{script: &script{}}
	p.space = func(*Conn) []byte { return make([]byte, 10) }
	p.filled = func(_ *Conn, n int) { p.note(string(rune('0' + n))) }
	p.event = func(_ *Conn, e Event) bool { p.note(e.String()); return true }
	c, peer := r.open(unixPair, p)
	c.receive() // nothing is there
	p.expect(t, "open", "0")
	peer.send("abc")
	r.until("input arrives", func() bool { return p.count("3") == 1 })
	peer.shutWrite()
	r.until("the end arrives", func() bool { return p.count("EOF") == 1 })
	p.expect(t, "open", "0", "3", "0", "EOF")
}

func TestNothingIsReadWhenTheProtocolPausesAtTheSpace(t *testing.T) {
	r := newRig(t)
	p := &supplier{script: &script{}}
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
	for _, at := range []string{"ReadBuffer", "OnData"} {
		r := newRig(t)
		p := &supplier{script: &script{}}
		p.space = func(*Conn) []byte {
			if at == "ReadBuffer" {
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

// OnData may close when there was no input.
func TestNoEOFAfterClose(t *testing.T) {
	r := newRig(t)
	events := 0
	p := &supplier{script: &script{}, event: func(*Conn, Event) bool { events++; return true }}
	p.space = func(*Conn) []byte { return make([]byte, 10) }
	p.filled = func(c *Conn, n int) {
		if n == 0 {
			c.Close()
		}
	}
	_, peer := r.open(unixPair, p)
	peer.close()
	r.until("the connection ends", p.ended)
	if events > 0 {
		t.Error("an event came after Close")
	}
}

// Memory is given back also if ReadBuffer has paused the connection.
func TestSuppliedMemoryIsGivenBackUnread(t *testing.T) {
	r := newRig(t)
	p := &supplier{script: &script{}}
	lent := 0
	p.space = func(c *Conn) []byte { lent++; c.PauseRead(); return make([]byte, 10) }
	p.filled = func(*Conn, int) { lent-- }
	c, peer := r.open(unixPair, p)
	peer.send("abc")
	r.until("reading is paused", func() bool { return !c.wantsRead() })
	r.settled()
	if lent != 0 {
		t.Error("the space was not given back by OnData")
	}
}
