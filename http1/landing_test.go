package http1

import (
	"errors"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/eddynet/eddy/httpparse"
	"github.com/eddynet/eddy/loop"
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
	b.gathered = bodies.Get()
	check := func(come int) {
		t.Helper()
		if most := max(16*come, 64<<10); cap(b.gathered.B) > most {
			t.Fatalf("%d bytes of memory for %d that have come, want at most %d", cap(b.gathered.B), come, most)
		}
	}
	for _, piece := range []int{1, 1000, 20 << 10, 64 << 10} { // through the loop's buffer
		b.gather(make([]byte, piece), length)
		b.received += int64(piece)
		check(len(b.gathered.B))
	}
	for b.received < length {
		free := b.room(x)
		if len(free) == 0 || b.received+int64(len(free)) > length {
			t.Fatalf("%d bytes of space behind %d", len(free), b.received)
		}
		check(len(b.gathered.B) + 1)
		n := min(len(free), 100_000)
		b.received += int64(n)
		b.gathered.B = b.gathered.B[:len(b.gathered.B)+n]
	}
	if len(b.room(x)) > 0 {
		t.Error("space behind the end of the body")
	}
}

// reading is a body whose reader waits with a slice of n bytes, which is returned.
func reading(t *testing.T, b *requestBody, n int) (dest []byte, result chan error) {
	t.Helper()
	dest, result = make([]byte, n), make(chan error, 1)
	go func() {
		n, err := b.Read(dest)
		if err == nil {
			err = errors.New(string(dest[:n]))
		}
		result <- err
	}()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		b.mu.Lock()
		waits := b.dest != nil
		b.mu.Unlock()
		if waits {
			return dest, result
		}
		if time.Now().After(end) {
			t.Fatal("the reader does not wait")
		}
	}
}

func newLanding() (*requestBody, *session) {
	r := &Request{}
	b := newRequestBody(&exchange{loop: &loop.Loop{}, request: &http.Request{}}, r)
	return b, &session{}
}

// still expects that nothing is to be had yet.
func still(t *testing.T, what string, result chan error) {
	t.Helper()
	select {
	case err := <-result:
		t.Fatalf("%s: %v", what, err)
	case <-time.After(20 * time.Millisecond):
	}
}

// TestReaderKeepsItsSliceLent: a Read whose deadline passes, or whose body is closed,
// while the loop reads into its slice, does not return before the loop is done.
func TestReaderKeepsItsSliceLent(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(b *requestBody)
		come string
		want string
	}{
		{"deadline", func(b *requestBody) { b.setDeadline(time.Now().Add(-time.Second)) }, "", os.ErrDeadlineExceeded.Error()},
		{"deadline and bytes", func(b *requestBody) { b.setDeadline(time.Now().Add(-time.Second)) }, "abc", "abc"},
		{"close", func(b *requestBody) { go b.Close() }, "", http.ErrBodyReadAfterClose.Error()},
		{"close and bytes", func(b *requestBody) { go b.Close() }, "abc", "abc"},
		{"broken", func(b *requestBody) { b.breakOff(os.ErrClosed) }, "", "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, x := newLanding()
			dest, result := reading(t, b, landingFrom)
			space := b.space(x, 1<<20)
			if len(space) != landingFrom || &space[0] != &dest[0] {
				t.Fatalf("a space of %d bytes, which is not the reader's", len(space))
			}
			c.end(b)
			still(t, "the reader has gone", result)
			b.filled(copy(space, c.come))
			if err := <-result; err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.dest != nil || b.landed != 0 {
				t.Error("the slice is still there")
			}
		})
	}
}

// TestOnlyLargeReadsAreLent, and those for which all that is left is not too much.
func TestOnlyLargeReadsAreLent(t *testing.T) {
	for _, c := range []struct {
		size int
		left int64
		lent bool
	}{
		{landingFrom - 1, 1 << 20, false},
		{landingFrom, 1 << 20, true},
		{100, 100, true},
		{99, 100, false},
	} {
		b, x := newLanding()
		_, result := reading(t, b, c.size)
		space := b.space(x, c.left)
		if lent := len(space) > 0; lent != c.lent || int64(len(space)) > c.left {
			t.Errorf("%d bytes asked for, %d left: a space of %d", c.size, c.left, len(space))
		}
		if c.lent {
			b.filled(0)
		}
		go b.Close()
		<-result
	}
}

// A buffer of which half is read takes more. Otherwise the client is held up until it is
// empty, and each small read wakes the loop in vain.
func TestReaderAtHalfLetsTheLoopGoOn(t *testing.T) {
	b, x := newLanding()
	x.body.received = spaceFrom
	space := b.space(x, 1<<20)
	b.filled(len(space))
	b.mu.Lock()
	half := len(b.buf.B) / 2
	b.take(make([]byte, half))
	b.mu.Unlock()
	x.conn = &loop.Conn{}
	defer func() {
		if v := recover(); v != nil {
			t.Errorf("the loop was to pause again: %v", v)
		}
	}()
	if n := len(b.space(x, 1<<20)); n < half {
		t.Errorf("a space of %d bytes, with %d free", n, half)
	}
}
