package loop

import (
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// traced notes the loop's reads and writes: "r" and "w".
func traced(l *Loop) *strings.Builder {
	order := new(strings.Builder)
	read, write := l.calls.read, l.calls.write
	l.calls.read = func(fd int, p []byte) (int, unix.Errno) {
		order.WriteByte('r')
		return read(fd, p)
	}
	l.calls.write = func(fd int, p []byte) (int, unix.Errno) {
		order.WriteByte('w')
		return write(fd, p)
	}
	return order
}

func TestQuickAnswersAreWrittenInBatches(t *testing.T) {
	r := newRig(t)
	const conns = maxBatch + 3
	var peers [conns]*socket
	for i := range peers {
		_, peers[i] = r.open(unixPair, &script{data: func(c *Conn, in []byte) int {
			_, _ = c.Write(in)
			return len(in)
		}})
	}
	order := traced(r.loop)
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
	slow := true
	var peers [4]*socket
	for i := range peers {
		_, peers[i] = r.open(unixPair, &script{data: func(c *Conn, in []byte) int {
			if slow {
				r.now.Add(int64(3 * quickEvent))
			}
			_, _ = c.Write(in)
			return len(in)
		}})
	}
	order := traced(r.loop)
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
