package loop

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"
)

// forward is one direction of a relay between two connections: it writes input to the
// other connection, and pauses while that one's output is full.
func forward(to **Conn) (data func(*Conn, []byte) int) {
	return func(c *Conn, in []byte) int {
		_, _ = (*to).Write(in)
		if (*to).Full() {
			c.PauseRead()
		}
		return len(in)
	}
}

// relay joins two sockets on the loop of r, and returns the outer ends.
func relay(t *testing.T, r *rig) (a, b *socket) {
	r.settings.HighWater, r.settings.LowWater = 32<<10, 16<<10
	var left, right *Conn
	end := func(to **Conn, pair pairKind) (*Conn, *socket) {
		ours, peer := slowPair(t, pair)
		p := withWritable(&script{open: (*Conn).EnableFullDuplex, data: forward(to)}, func(*Conn) { (*to).ResumeRead() })
		return r.adopt(ours, p), peer
	}
	left, a = end(&right, tcpPair)
	right, b = end(&left, unixPair)
	return a, b
}

// Each direction of a relay has backpressure of its own: one whose output nobody reads
// does not stop the other.
func TestFullOutputDoesNotStopTheInputOfAFullDuplexConnection(t *testing.T) {
	r := newRig(t)
	a, b := relay(t, r)
	flood := pattern(1 << 20)
	sent := 0
	for range 200 { // b reads nothing: everything between fills up
		n, err := unix.Write(a.fd, flood[sent:min(len(flood), sent+20_000)])
		if err == nil {
			sent += n
		}
		r.cycle()
	}
	if sent == len(flood) {
		t.Fatal("nothing is full: this shows nothing")
	}
	b.send("from the side that does not read")
	r.until("the other direction moves", a.has("from the side that does not read"))

	// And each is bounded: what is sent on waits for its reader.
	r.boundedByTheirMarks()
	r.take(b, sent)
	if string(b.got) != string(flood[:sent]) {
		t.Error("bytes lost or out of order")
	}
}

// boundedByTheirMarks checks that no connection holds more than its mark and one read.
func (r *rig) boundedByTheirMarks() {
	r.t.Helper()
	for _, c := range r.loop.allConns() {
		if limit := c.settings.HighWater + inputSize; c.Pending() > limit {
			r.t.Fatalf("%d bytes pending, want at most %d", c.Pending(), limit)
		}
	}
}

// relayEnd is the outer end of a relay: it sends a part of a pattern that is its own,
// and reads now and then.
type relayEnd struct {
	*socket
	sends, want []byte
	sent        int
	paused      bool
}

func (e *relayEnd) move() {
	e.sent += e.offer(e.sends[e.sent:min(len(e.sends), e.sent+20_000)])
	if !e.paused {
		e.pull(16 << 10)
	}
}

// Two hundred connections whose peers pause at random: none stands still for longer than
// its own reader, and nothing is lost.
func TestRelaysUnderRandomPauses(t *testing.T) {
	const pairs, size = 100, 300_000
	r := newRig(t)
	random := rand.New(rand.NewPCG(1, 2))
	content := pattern(size + 2*pairs)
	var ends []*relayEnd
	for i := range pairs {
		a, b := relay(t, r)
		one, other := content[2*i:][:size], content[2*i+1:][:size]
		ends = append(ends, &relayEnd{socket: a, sends: one, want: other}, &relayEnd{socket: b, sends: other, want: one})
	}
	for range 30 {
		for _, e := range ends {
			if random.IntN(8) == 0 {
				e.paused = !e.paused
			}
			e.move()
		}
		r.cycle()
		r.boundedByTheirMarks()
	}
	// Then one end of each pair reads, and after it the other.
	for turn := range 2 {
		for i, e := range ends {
			e.paused = i%2 != turn
		}
		for i := turn; i < len(ends); i += 2 {
			r.until("an end that reads gets all, whatever the other one does", func() bool {
				for _, e := range ends {
					e.move()
				}
				return len(ends[i].got) == size
			})
		}
	}
	for i, e := range ends {
		if !bytes.Equal(e.got, e.want) {
			t.Errorf("end %d: bytes lost or out of order", i)
		}
	}
}

func TestFullDuplexEndsWithTheProtocol(t *testing.T) {
	r := newRig(t)
	c, _ := r.open(unixPair, &script{open: (*Conn).EnableFullDuplex})
	c.SetProtocol((&script{}).Open)
	if c.is(fullDuplex) {
		t.Error("the next protocol inherits it")
	}
}

// Input that came before a reset is delivered before the reset is reported: a relay
// passes on the answer of a server that has not read its whole request.
func TestInputBeforeAReset(t *testing.T) {
	r := newRig(t)
	p := &script{}
	_, peer := r.open(tcpPair, p)
	peer.send("answer")
	peer.reset()
	r.until("the connection ends", p.ended)
	p.expect(t, "open", "data:answer", "close:"+unix.ECONNRESET.Error())
}
