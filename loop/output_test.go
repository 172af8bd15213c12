package loop

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/buffers"
	"github.com/eddynet/eddy/poller"
)

// slowPair is a connection whose kernel buffers are small.
func slowPair(t *testing.T, pair pairKind) (ours, theirs *socket) {
	ours, theirs = pair.make(t)
	return ours.buffers(16<<10, 16<<10), theirs.buffers(16<<10, 16<<10)
}

func TestWritesOfACallbackLeaveTogether(t *testing.T) {
	r := newRig(t)
	ours, peer := newUnixPair(t)
	p := &script{data: func(c *Conn, in []byte) int {
		_, _ = c.Write([]byte("one "))
		_, _ = c.WriteString("two ")
		c.Out().B = append(c.Out().B, "three "...)
		_ = c.WriteOwned([]byte("four "), nil)
		b := buffers.Get()
		b.B = append(b.B, "five"...)
		_ = c.WriteBuffer(b)
		_ = c.WriteFramed([]byte(" s"), nil, []byte("ix"), nil)
		if c.Pending() != int64(len("one two three four five six")) {
			t.Errorf("Pending %d in the callback", c.Pending())
		}
		peer.pull(1 << 20)
		if len(peer.got) != 0 {
			t.Errorf("%q left in the middle of the callback", peer.got)
		}
		return len(in)
	}}
	c := r.adopt(ours, p)
	peer.send("x")
	r.until("the output arrives", peer.has("one two three four five six"))
	if c.Pending() != 0 {
		t.Errorf("Pending %d after the flush", c.Pending())
	}
	r.settled()
}

func TestOutputFromOutsideACallbackOfItsOwn(t *testing.T) {
	r := newRig(t)
	c, peer := r.open(unixPair, &script{})
	_ = r.loop.Post(func() { _, _ = c.WriteString("posted ") })
	r.loop.After(time.Millisecond, func() { _, _ = c.WriteString("timer") })
	r.cycle()
	r.pass(time.Millisecond)
	r.until("the output arrives", peer.has("posted timer"))
	r.quiet()
}

func TestPartialWritesKeepOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		r.settings.MaxOutput = 1 << 30
		ours, peer := slowPair(t, pair)
		p := &script{}
		c := r.adopt(ours, p)

		content := pattern(300_000)
		want := bytes.Buffer{}
		releases := 0
		release := func() { releases++ }
		for i := range 60 {
			piece := content[i*1000 : i*1000+100+i*400]
			want.Write(piece)
			switch i % 5 {
			case 0:
				_, _ = c.Write(piece)
			case 1:
				_ = c.WriteOwned(piece, release)
			case 2:
				f := tempFile(t, content)
				if err := c.SendFile(f, int64(i*1000), int64(len(piece))); err != nil {
					t.Fatal(err)
				}
			case 3:
				b := buffers.Get()
				b.B = append(b.B, piece...)
				_ = c.WriteBuffer(b)
			case 4:
				c.Out().B = append(c.Out().B, piece...)
			}
		}
		step := 0
		r.until("everything arrives", func() bool {
			step++
			peer.pull(1 + step*37%5000)
			return len(peer.got) >= want.Len()
		})
		if !bytes.Equal(peer.got, want.Bytes()) {
			t.Error("the bytes differ from what was written, or their order")
		}
		if releases != 12 {
			t.Errorf("%d releases, want 12", releases)
		}
		r.settled()
		if c.interest != poller.Readable || c.out != nil {
			t.Errorf("interest %b and queue %v after everything is written", c.interest, c.out)
		}
	})
}

func TestHighWaterStopsDeliveryUntilLowWater(t *testing.T) {
	onBoth(t, func(t *testing.T, pair pairKind) {
		r := newRig(t)
		r.settings.HighWater, r.settings.LowWater = 400_000, 100_000
		ours, peer := slowPair(t, pair)
		p := withWritable(&script{}, nil)
		p.data = func(c *Conn, in []byte) int {
			_, _ = c.Write(pattern(500_000))
			if !c.Full() {
				t.Error("not Full above the high-water mark")
			}
			return 1
		}
		p.do = func(c *Conn) {
			p.script.data = nil
			if c.Full() || c.Pending() > 100_000 {
				t.Errorf("OnDrain with %d pending, Full %v", c.Pending(), c.Full())
			}
		}
		c := r.adopt(ours, p)
		peer.send("ab")
		r.until("the first input arrives", func() bool { return p.count("data:") > 0 })
		peer.send("c")
		r.settled()
		p.expect(t, "open", "data:ab")
		if c.interest&poller.Readable != 0 {
			t.Error("still reading above the high-water mark")
		}
		r.until("the output falls below the high-water mark", func() bool {
			peer.pull(5000)
			return c.Pending() < 300_000
		})
		r.settled()
		p.expect(t, "open", "data:ab")

		r.until("the output falls to the low-water mark", func() bool {
			peer.pull(5000)
			return p.count("writable") > 0
		})
		r.until("what was held up arrives", func() bool { return string(p.input) == "abc" })
		if p.calls[2] != "writable" || !strings.HasPrefix(p.calls[3], "data:b") {
			t.Errorf("calls %q, want OnDrain, then the input that was kept", p.calls)
		}
		r.until("all output arrives", func() bool { peer.pull(1 << 20); return len(peer.got) == 500_000 })
		r.settled()
		if p.count("writable") != 1 {
			t.Errorf("calls %q, want one OnDrain", p.calls)
		}
	})
}

// A callback that saw Full waits for OnDrain, even if the kernel takes everything.
func TestDrainIsToldAfterAFlushThatTakesAll(t *testing.T) {
	r := newRig(t)
	r.settings.HighWater, r.settings.LowWater = 10, 5
	full := false
	p := withWritable(&script{open: func(c *Conn) {
		_, _ = c.WriteString("more than ten bytes")
		full = c.Full()
	}}, nil)
	r.open(unixPair, p)
	r.settled()
	if !full || p.count("writable") != 1 {
		t.Errorf("Full %v, calls %q, want OnDrain once", full, p.calls)
	}
}

// A peer that never reads costs a bounded amount of memory.
func TestMaxOutputAborts(t *testing.T) {
	r := newRig(t)
	r.settings.MaxOutput = 1 << 20
	ours, _ := slowPair(t, unixPair)
	p := &script{}
	c := r.adopt(ours, p)
	chunk := pattern(100 << 10)
	var err error
	for n := 0; err == nil && n < 100; n++ {
		_, err = c.Write(chunk)
		if err == nil && c.Pending() > 1<<20+100<<10 {
			t.Fatalf("%d pending", c.Pending())
		}
		r.cycle()
	}
	if err != ErrOutputFull {
		t.Fatalf("error %v, want ErrOutputFull", err)
	}
	if _, err := c.Write(chunk); err != ErrClosed {
		t.Errorf("after that: %v, want ErrClosed", err)
	}
	r.settled()
	p.expect(t, "open", "close:"+ErrOutputFull.Error())
}

func TestOneWriteMayPassMaxOutput(t *testing.T) {
	r := newRig(t)
	r.settings.MaxOutput = 100 << 10
	ours, peer := newUnixPair(t)
	c := r.adopt(ours, &script{})
	want := pattern(1 << 20)
	if _, err := c.Write(want); err != nil {
		t.Fatal(err)
	}
	r.until("everything arrives", func() bool { peer.pull(1 << 20); return len(peer.got) == len(want) })
	if !c.Open() {
		t.Error("the connection was aborted")
	}
}

// No peer starves its neighbours: invariant 8. It holds too for output that its
// own release functions renew.
func TestOutputOfACycleIsBounded(t *testing.T) {
	r := newRig(t)
	ours, peer := newUnixPair(t)
	ours.buffers(4<<20, 4<<20)
	c := r.adopt(ours, &script{})
	piece := pattern(1000)
	written := 0
	var more func()
	more = func() {
		written += len(piece)
		peer.pull(1 << 20) // a peer that is never slow
		if written < 64<<20 && c.Open() {
			_ = c.WriteOwned(piece, more)
		}
	}
	_ = c.WriteOwned(piece, more)
	r.cycle()
	if written > writeBudget+len(piece) {
		t.Errorf("%d bytes of one connection in one cycle, want about %d", written, writeBudget)
	}
	c.Abort(nil)
}

func TestWriteAfterClose(t *testing.T) {
	r := newRig(t)
	c, peer := r.open(unixPair, &script{})
	c.Close()
	released := 0
	if _, err := c.Write([]byte("x")); err != ErrClosed {
		t.Errorf("Write: %v", err)
	}
	if _, err := c.WriteString("x"); err != ErrClosed {
		t.Errorf("WriteString: %v", err)
	}
	if err := c.WriteOwned([]byte("x"), func() { released++ }); err != ErrClosed || released != 1 {
		t.Errorf("WriteOwned: %v, released %d times", err, released)
	}
	if err := c.WriteBuffer(buffers.Get()); err != ErrClosed {
		t.Errorf("WriteBuffer: %v", err)
	}
	f := tempFile(t, []byte("x"))
	if err := c.SendFile(f, 0, 1); err != ErrClosed {
		t.Errorf("SendFile: %v", err)
	}
	if f.Close() == nil {
		t.Error("SendFile left the file open")
	}
	c.Out().B = append(c.Out().B, "nowhere"...)
	r.until("the end arrives", peer.all)
	if len(peer.got) != 0 {
		t.Errorf("peer got %q", peer.got)
	}
}

func TestOwnedBytesAreReleasedOnce(t *testing.T) {
	for name, end := range map[string]func(r *rig, c *Conn, peer *socket){
		"written": func(r *rig, c *Conn, peer *socket) {
			r.until("all is written", func() bool { peer.pull(1 << 20); return c.Pending() == 0 })
		},
		"close":      func(_ *rig, c *Conn, _ *socket) { c.Close() },
		"abort":      func(_ *rig, c *Conn, _ *socket) { c.Abort(nil) },
		"peer gone":  func(_ *rig, _ *Conn, peer *socket) { peer.close() },
		"loop ended": func(r *rig, _ *Conn, _ *socket) { r.loop.end() },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			ours, peer := slowPair(t, unixPair)
			p := &script{}
			c := r.adopt(ours, p)
			var order []int
			for i := range 3 {
				_ = c.WriteOwned(pattern(300_000), func() { order = append(order, i) })
			}
			r.cycle()
			if len(order) != 0 {
				t.Fatalf("released %v before they were written", order)
			}
			end(r, c, peer)
			if !r.loop.inbox.ended {
				r.until("all is released", func() bool { peer.pull(1 << 20); return len(order) == 3 })
				peer.close()
				r.until("the connection ends", p.ended)
				r.settled()
			}
			if len(order) != 3 || order[0] != 0 || order[1] != 1 || order[2] != 2 {
				t.Errorf("released %v, want each once, in order", order)
			}
		})
	}
}

// A panic in one release function does not keep the others from being called:
// they may hold files open.
func TestPanicInReleaseDoesNotLoseTheOthers(t *testing.T) {
	r := newRig(t)
	ours, _ := slowPair(t, unixPair)
	p := &script{}
	c := r.adopt(ours, p)
	var order []int
	for i := range 4 {
		_ = c.WriteOwned(pattern(300_000), func() {
			order = append(order, i)
			if i == 1 || i == 2 {
				panic("in a release function")
			}
		})
	}
	r.cycle()
	c.Abort(errors.New("cause"))
	r.settled()
	p.expect(t, "open", "close:cause")
	if len(order) != 4 {
		t.Errorf("released %v, want all four, once each", order)
	}
}

// A kernel that is short of memory does not make the loop spin: the poller would
// call the socket writable all the time.
func TestWriteBackoff(t *testing.T) {
	r := newRig(t)
	c, peer := r.open(unixPair, &script{})
	_, _ = c.WriteString("later")
	c.retryLater(writeBackoff) // as writeHead does on ENOBUFS
	r.settled()
	if c.interest&poller.Writable != 0 {
		t.Error("waiting for room while backing off")
	}
	r.pass(shortageDelay)
	r.until("the output arrives", peer.has("later"))
	if c.writeBy != 0 || c.Pending() != 0 {
		t.Error("output is pending after all was written")
	}
}

func TestWriteToAResetConnection(t *testing.T) {
	r := newRig(t)
	p := &script{open: (*Conn).PauseRead}
	c, peer := r.open(tcpPair, p)
	peer.reset()
	_, _ = c.Write(pattern(100))
	r.until("the connection ends", p.ended)
	if p.count("close:"+unix.ECONNRESET.Error())+p.count("close:"+unix.EPIPE.Error()) != 1 {
		t.Errorf("calls %q, want the end with the cause", p.calls)
	}
}

// A task fills the output in the cycle in which input is to be delivered again.
func TestKeptInputWaitsForRoomFilledByATask(t *testing.T) {
	r := newRig(t)
	full := false
	p := &script{data: func(c *Conn, in []byte) int {
		full = full || c.Full()
		return len(in) / 2 * 2
	}}
	c, peer := r.open(unixPair, p)
	peer.send("odd")
	r.until("the input arrives", func() bool { return p.count("data:") == 1 })
	if err := c.Ref().Do(func(c *Conn) {
		_, _ = c.Write(pattern(int(r.settings.HighWater) + 1))
		c.Redeliver()
	}); err != nil {
		t.Fatal(err)
	}
	r.until("the output leaves", func() bool { peer.all(); return len(peer.got) > int(r.settings.HighWater) })
	r.until("what is left comes back", func() bool { return p.count("data:") == 2 })
	if full {
		t.Error("OnData was called while the output was full")
	}
}

// A large write leaves at once, without a copy, unless something is pending: the order of
// the bytes is that of the calls, however much the kernel takes.
func TestLargeWritesKeepTheOrder(t *testing.T) {
	r := newRig(t)
	c, peer := r.open(tcpPair, &script{})
	var want []byte
	write := func(n int) {
		p := bytes.Repeat([]byte{byte('a' + len(want)%26)}, n)
		want = append(want, p...)
		if m, err := c.Write(p); m != n || err != nil {
			t.Fatalf("Write: %d, %v", m, err)
		}
	}
	write(writeAtOnce)
	if n := c.Pending(); n != 0 && !*layered {
		t.Errorf("%d bytes are pending, want them written", n)
	}
	for range 20 { // more than the kernel takes
		write(10)
		write(writeAtOnce + 1)
		write(int(c.settings.HighWater) + 1)
		write(1)
		r.cycle()
		write(2 * writeAtOnce)
	}
	r.until("the peer has it all", func() bool {
		peer.pull(1 << 30)
		return len(peer.got) == len(want)
	})
	if !bytes.Equal(peer.got, want) {
		t.Error("other bytes arrived, or in another order")
	}
	c.Close()
	if n, err := c.Write(make([]byte, writeAtOnce)); n != 0 || err != ErrClosed {
		t.Errorf("Write after Close: %d, %v", n, err)
	}
}
