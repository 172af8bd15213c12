package nethttp

import (
	"errors"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/eddynet/eddy/eddytest"
)

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

func newBody(t *testing.T) *requestBody {
	l := eddytest.NewServer(t, nil).Loop()
	b := &requestBody{exchange: &exchange{loop: l}}
	b.change.L = &b.mu
	return b
}

// passDeadline has the read deadline pass, as the loop's timer does.
func passDeadline(b *requestBody) {
	b.setDeadline(time.Now().Add(-time.Second))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.change.Broadcast()
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

// TestReadWaitsForTheLoop: a Read whose deadline passes, or whose body is closed,
// while the loop reads into its slice, does not return before the loop is done.
func TestReadWaitsForTheLoop(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(b *requestBody)
		come string
		want string
	}{
		{"deadline", passDeadline, "", os.ErrDeadlineExceeded.Error()},
		{"deadline and bytes", passDeadline, "abc", "abc"},
		{"close", func(b *requestBody) { go b.Close() }, "", http.ErrBodyReadAfterClose.Error()},
		{"close and bytes", func(b *requestBody) { go b.Close() }, "abc", "abc"},
		{"broken", func(b *requestBody) { b.receive(nil, io.ErrUnexpectedEOF) }, "", "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBody(t)
			dest, result := reading(t, b, directFrom)
			space := b.readBuffer(1 << 20)
			if len(space) != directFrom || &space[0] != &dest[0] {
				t.Fatalf("a space of %d bytes, which is not the reader's", len(space))
			}
			c.end(b)
			still(t, "the reader has gone", result)
			b.receive(space[:copy(space, c.come)], nil)
			if err := <-result; err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.dest != nil || b.direct != 0 {
				t.Error("the slice is still there")
			}
		})
	}
}

// TestOnlyLargeReadsAreDirect, and those for which all that is left is not too much.
func TestOnlyLargeReadsAreDirect(t *testing.T) {
	for _, c := range []struct {
		size   int
		left   int64
		direct bool
	}{
		{directFrom - 1, 1 << 20, false},
		{directFrom, 1 << 20, true},
		{100, 100, true},
		{99, 100, false},
	} {
		b := newBody(t)
		_, result := reading(t, b, c.size)
		space := b.readBuffer(c.left)
		if direct := len(space) > 0; direct != c.direct || int64(len(space)) > c.left {
			t.Errorf("%d bytes asked for, %d left: a space of %d", c.size, c.left, len(space))
		}
		if c.direct {
			b.receive(nil, nil)
		}
		go b.Close()
		<-result
	}
}

// A buffer of which half is read takes more. Otherwise the client is held up until it is
// empty, and each small read wakes the loop in vain.
func TestReaderAtHalfLetsTheLoopGoOn(t *testing.T) {
	b := newBody(t)
	b.received = smallBody
	space := b.readBuffer(1 << 20)
	b.receive(space, nil)
	b.mu.Lock()
	half := len(b.buf.B) / 2
	b.take(make([]byte, half))
	b.mu.Unlock()
	defer func() {
		if v := recover(); v != nil {
			t.Errorf("the loop was to pause again: %v", v)
		}
	}()
	if n := len(b.readBuffer(1 << 20)); n < half {
		t.Errorf("a space of %d bytes, with %d free", n, half)
	}
}
