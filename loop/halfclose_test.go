package loop

import (
	"bytes"
	"testing"
)

func TestCloseWriteSendsTheEndAfterTheOutput(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		ours, peer := slowPair(t, pair)
		p := &script{}
		c := r.adopt(ours, p)
		want := pattern(300_000)
		_, _ = c.Write(want)
		c.CloseWrite()
		if _, err := c.Write([]byte("x")); err != ErrClosed {
			t.Errorf("Write after CloseWrite: %v, want ErrClosed", err)
		}
		r.until("the output and the end arrive", func() bool { peer.pull(1 << 20); return peer.eof })
		if !bytes.Equal(peer.got, want) {
			t.Errorf("peer got %d of %d bytes", len(peer.got), len(want))
		}
		if !c.Open() {
			t.Error("not open, though the peer may go on sending")
		}
		peer.send("still sending")
		r.until("input arrives", func() bool { return p.count("data:") == 1 })
		r.settled()
		peer.shutWrite()
		r.until("the connection ends", p.ended)
		if p.count("data:still sending") != 1 || p.count("close:") != 1 {
			t.Errorf("calls %q", p.calls)
		}
	})
}

func TestCloseWriteAfterThePeerHasFinished(t *testing.T) {
	r := newRig(t)
	p := withEOF(&script{}, nil)
	c, peer := r.open(tcpPair, p)
	peer.shutWrite()
	r.until("the end is told", func() bool { return p.count("eof") == 1 })
	_, _ = c.WriteString("and this is mine")
	c.CloseWrite()
	r.until("the connection ends", p.ended)
	p.expect(t, "open", "eof", "close:<nil>")
	r.until("the end reaches the peer", peer.all)
	if string(peer.got) != "and this is mine" || !peer.eof {
		t.Errorf("peer got %q, then %v", peer.got, peer.err)
	}
}

func TestCloseAfterCloseWrite(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		p := &script{}
		c, peer := r.open(pair, p)
		c.CloseWrite()
		r.settled()
		c.Close()
		r.settled()
		p.expect(t, "open") // lingering, for the peer's end
		peer.close()
		r.until("the connection ends", p.ended)
		p.expect(t, "open", "close:<nil>")
	})
}

// Both directions are shut while input waits to be read: the loop does not spin,
// and the input is not lost.
func TestPausedWithBothDirectionsShut(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		p := withHangup(&script{open: (*Conn).PauseRead}, nil)
		c, peer := r.open(pair, p)
		c.CloseWrite()
		peer.send("last words")
		peer.shutWrite()
		r.until("the hang-up is seen", func() bool { return p.count("hangup") == 1 })
		r.settled()
		c.ResumeRead()
		r.until("the connection ends", p.ended)
		if string(p.input) != "last words" || p.count("hangup") != 1 || p.count("close:") != 1 {
			t.Errorf("calls %q, want the input, then the end", p.calls)
		}
	})
}
