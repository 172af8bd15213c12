package loop

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// traced is a protocol whose connections note their reads and writes: "r" and "w".
type traced struct {
	opener
	order *strings.Builder
}

func (p traced) Open(c *Conn) Handler {
	_ = c.AddLayer(func(below Transport) Transport { return &tracer{below, p.order} }) // nothing is written
	return p.opener.Open(c)
}

type tracer struct {
	Transport
	order *strings.Builder
}

func (t *tracer) Read(p []byte) (int, error) {
	t.order.WriteByte('r')
	return t.Transport.Read(p)
}

func (t *tracer) Write(slices [][]byte) (int, error) {
	t.order.WriteByte('w')
	return t.Transport.Write(slices)
}

func TestQuickAnswersAreWrittenInBatches(t *testing.T) {
	r := newRig(t)
	const conns = maxBatch + 3
	order := new(strings.Builder)
	var peers [conns]*socket
	for i := range peers {
		_, peers[i] = r.open(unixPair, traced{&script{data: func(c *Conn, in []byte) int {
			_, _ = c.Write(in)
			return len(in)
		}}, order})
	}
	for range 2 {
		order.Reset()
		for _, peer := range peers {
			peer.send("x")
		}
		r.cycle()
		batch := strings.Repeat("r", maxBatch) + strings.Repeat("w", maxBatch)
		if got := order.String(); got != batch+"rrrwww" {
			t.Fatalf("reads and writes %s", got)
		}
		for _, peer := range peers {
			r.take(peer, 1)
		}
	}
}

// Once callbacks take their time, answers do not wait for the next ones.
func TestAnswersAreNotHeldUpForLongAmongSlowCallbacks(t *testing.T) {
	r := newRig(t)
	slow, order := true, new(strings.Builder)
	var peers [4]*socket
	for i := range peers {
		_, peers[i] = r.open(unixPair, traced{&script{data: func(c *Conn, in []byte) int {
			if slow {
				r.now.Add(int64(3 * quickEvent))
			}
			_, _ = c.Write(in)
			return len(in)
		}}, order})
	}
	for _, c := range []struct {
		slow   bool
		before time.Duration // the cycle
		want   string
	}{
		{true, 0, "rrrrwwww"}, // nothing is known yet
		{true, 0, "rwrwrwrw"},
		{false, 0, "rwrwrwrw"},
		{false, promptFor / 2, "rwrwrwrw"},
		{false, promptFor, "rrrrwwww"},
	} {
		slow = c.slow
		order.Reset()
		for _, peer := range peers {
			peer.send("x")
		}
		r.loop.timeout() // the cycle before ends
		r.now.Add(int64(c.before))
		r.loop.begin()
		r.loop.timeout()
		r.cycle()
		if got := order.String(); got != c.want {
			t.Errorf("slow %v: reads and writes %s, want %s", c.slow, got, c.want)
		}
	}
}

// A connection that another one's callback closes before its batch is written still
// sends what it has.
func TestClosedInItsBatchSendsItsOutput(t *testing.T) {
	r := newRig(t)
	first := &script{data: func(c *Conn, in []byte) int {
		_, _ = c.Write([]byte("kept"))
		return len(in)
	}}
	a, peerA := r.open(unixPair, first)
	_, peerB := r.open(unixPair, &script{data: func(_ *Conn, in []byte) int {
		a.Close()
		return len(in)
	}})
	peerA.send("x")
	peerB.send("x")
	r.cycle()
	r.until("the peer reads to the end", func() bool { return peerA.all() })
	if string(peerA.got) != "kept" {
		t.Errorf("the peer got %q", peerA.got)
	}
	peerA.shutWrite()
	r.until("the connection is closed", first.ended)
}

// What is dropped in a batch is dropped once, and its descriptor stays until the end of
// the cycle.
func TestAbortedInItsBatch(t *testing.T) {
	r := newRig(t)
	cause := errors.New("cause")
	first := &script{data: func(c *Conn, in []byte) int {
		_, _ = c.Write([]byte("lost"))
		return len(in)
	}}
	a, peerA := r.open(unixPair, first)
	_, peerB := r.open(unixPair, &script{data: func(_ *Conn, in []byte) int {
		a.Abort(cause)
		return len(in)
	}})
	peerA.send("x")
	peerB.send("x")
	r.cycle()
	first.expect(t, "open", "data:x", "close:cause")
	r.until("the peer sees the end", func() bool { return peerA.all() || peerA.err != nil })
	if len(peerA.got) != 0 {
		t.Errorf("the peer got %q", peerA.got)
	}
	r.pass(time.Second)
}
