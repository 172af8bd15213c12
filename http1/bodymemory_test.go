package http1

import (
	"runtime"
	"testing"

	"github.com/eddynet/eddy/httpparse"
)

// TestBodyMemoryFollowsWhatHasCome, not what was announced.
func TestBodyMemoryFollowsWhatHasCome(t *testing.T) {
	const length = 64 << 20
	for range 2 {
		runtime.GC() // buffers that other tests have left in the pool
	}
	x := &session{}
	x.request.head.Framing, x.request.head.Length = httpparse.ContentLength, length
	b := &x.body
	b.buffered = bodies.Get()
	check := func(come int) {
		t.Helper()
		if most := max(16*come, 64<<10); cap(b.buffered.B) > most {
			t.Fatalf("%d bytes of memory for %d that have come, want at most %d", cap(b.buffered.B), come, most)
		}
	}
	for _, piece := range []int{1, 1000, 20 << 10, 64 << 10} { // through the loop's buffer
		b.append(make([]byte, piece), length)
		b.received += int64(piece)
		check(len(b.buffered.B))
	}
	for b.received < length {
		free := b.nextReadBuffer(x)
		if len(free) == 0 || b.received+int64(len(free)) > length {
			t.Fatalf("%d bytes of space behind %d", len(free), b.received)
		}
		check(len(b.buffered.B) + 1)
		n := min(len(free), 100_000)
		b.received += int64(n)
		b.buffered.B = b.buffered.B[:len(b.buffered.B)+n]
	}
	if len(b.nextReadBuffer(x)) > 0 {
		t.Error("space behind the end of the body")
	}
}
