package loop

import (
	"bytes"
	"testing"
	"time"
)

// What Protocol says of in: used bytes are the protocol's to change, those left unused
// come back as they were.
func TestUsedInputMayBeChanged(t *testing.T) {
	r := newRig(t)
	var got []byte
	p := &script{data: func(_ *Conn, in []byte) int { // unmasks whole lines in place
		used := bytes.IndexByte(in, '\n') + 1
		for i := range in[:used] {
			in[i] ^= ' '
		}
		got = append(got, in[:used]...)
		return used
	}}
	_, peer := r.open(unixPair, p)
	for _, part := range []string{"ab\ncd", "ef\n"} {
		before := p.count("data:")
		peer.send(part)
		r.until("the part arrives", func() bool { return p.count("data:") > before })
	}
	r.settled()
	if want := "AB*CDEF*"; string(got) != want {
		t.Errorf("unmasked %q, want %q", got, want)
	}
}

func TestAgainWithNothingUsedReadsNoMore(t *testing.T) {
	r := newRig(t)
	asking := true
	p := &script{data: func(c *Conn, _ []byte) int {
		if asking {
			c.Redeliver()
		}
		return 0
	}}
	c, peer := r.open(unixPair, p)
	peer.send("a")
	r.until("input arrives", func() bool { return c.Buffered() == 1 })
	peer.send("b")
	for range 100 {
		r.cycle()
	}
	if got := c.Buffered(); got != 1 {
		t.Errorf("%d bytes were read, want 1", got)
	}
	asking = false
	r.until("more is read", func() bool { return c.Buffered() == 2 })
}

func TestDeadlineCountsFromTheStartOfTheCycle(t *testing.T) {
	r := newRig(t)
	p := withTimeout(&script{}, nil)
	c, _ := r.open(unixPair, p)
	r.loop.Post(func() {
		r.now.Add(int64(time.Second)) // a callback that takes long
		c.SetTimeout(time.Second)
	})
	r.cycle()
	r.pass(0)
	if p.count("timeout") != 1 {
		t.Error("the deadline counts from the call")
	}
}
