package loop

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestDoVisitsTheConnection(t *testing.T) {
	r := newRig(t)
	c, peer := r.open(unixPair, &script{})
	ref := c.Ref()
	visited := 0
	for range 2 {
		if err := ref.Do(func(got *Conn) {
			visited++
			if got != c {
				t.Error("visited another connection")
			}
			_, _ = got.WriteString("x")
		}); err != nil {
			t.Fatal(err)
		}
	}
	if visited != 0 {
		t.Error("visited inside the call")
	}
	r.until("the output arrives", peer.has("xx"))
}

func TestZeroRef(t *testing.T) {
	var ref Ref
	if !ref.Gone() {
		t.Error("the zero Ref is not gone")
	}
	if err := ref.Do(func(*Conn) {}); err != ErrClosed {
		t.Errorf("Do: %v", err)
	}
	if err := ref.Write([]byte("x")); err != ErrClosed {
		t.Errorf("Write: %v", err)
	}
}

func TestRefOfAClosedConnection(t *testing.T) {
	r := newRig(t)
	c, _ := r.open(unixPair, &script{})
	ref := c.Ref()
	if err := ref.Do(func(*Conn) { t.Error("visited though it was closed before") }); err != nil {
		t.Fatal(err)
	}
	if ref.Gone() {
		t.Error("gone while open")
	}
	c.Abort(nil)
	if !ref.Gone() {
		t.Error("not gone when aborted")
	}
	r.settled()
	if err := ref.Do(func(*Conn) {}); err != ErrClosed {
		t.Errorf("Do: %v, want ErrClosed", err)
	}
	if err := ref.Write([]byte("x")); err != ErrClosed {
		t.Errorf("Write: %v, want ErrClosed", err)
	}
}

// A Ref outlives its connection's slot and descriptor, and never reaches the next
// owner of either.
func TestRefNeverReachesTheNextConnection(t *testing.T) {
	r := newRig(t)
	c, _ := r.open(unixPair, &script{})
	ref := c.Ref()
	// Accepted while the connection lives, to be run when another has its place.
	if err := ref.Write([]byte("for the first")); err != nil {
		t.Fatal(err)
	}
	c.Abort(nil)
	r.loop.free()
	p := &script{}
	next, peer := r.open(unixPair, p)
	if next.token.Slot() != c.token.Slot() {
		t.Fatal("the slot was not reused: this shows nothing")
	}
	_ = ref.Write([]byte("for the first"))
	r.settled()
	if peer.all(); len(peer.got) > 0 {
		t.Errorf("the next connection's peer got %q", peer.got)
	}
}

// What is closing takes no more: a nil error would promise that it is written.
func TestRefWriteToAClosingConnection(t *testing.T) {
	for name, end := range map[string]func(*Conn){"Close": (*Conn).Close, "CloseWrite": (*Conn).CloseWrite} {
		r := newRig(t)
		ours, peer := slowPair(t, unixPair)
		c := r.adopt(ours, &script{})
		_, _ = c.Write(pattern(300_000))
		end(c)
		r.cycle()
		if err := c.Ref().Write([]byte("x")); err != ErrClosed {
			t.Errorf("%s: %v, want ErrClosed", name, err)
		}
		r.until("all output arrives", func() bool { peer.pull(1 << 20); return len(peer.got) == 300_000 })
	}
}

func TestRefWriteAboveTheMark(t *testing.T) {
	r := newRig(t)
	r.settings.HighWater, r.settings.LowWater = 1000, 500
	ours, peer := slowPair(t, unixPair)
	c := r.adopt(ours, &script{})
	ref := c.Ref()

	// On the way through the inbox: one write may pass the mark, no more.
	if err := ref.Write(make([]byte, 5000)); err != nil {
		t.Fatalf("the first: %v", err)
	}
	if err := ref.Write([]byte("x")); err != ErrOutputFull {
		t.Errorf("behind 5000 on the way: %v, want ErrOutputFull", err)
	}
	r.settled()
	if err := ref.Write(make([]byte, 900)); err != nil {
		t.Fatalf("after it was taken: %v", err)
	}
	if err := ref.Write(make([]byte, 101)); err != ErrOutputFull {
		t.Errorf("101 behind 900: %v, want ErrOutputFull", err)
	}
	if err := ref.Write(make([]byte, 100)); err != nil {
		t.Errorf("100 behind 900: %v, want it taken", err)
	}
	r.settled()

	// In the connection's queue.
	_, _ = c.Write(pattern(300_000))
	r.settled()
	if err := ref.Write([]byte("x")); err != ErrOutputFull {
		t.Errorf("with %d pending: %v, want ErrOutputFull", c.Pending(), err)
	}
	r.until("the output has drained", func() bool { peer.pull(1 << 20); return c.Pending() == 0 })
	r.settled()
	if err := ref.Write([]byte("y")); err != nil {
		t.Errorf("after it has drained: %v", err)
	}
	r.until("everything arrives", func() bool {
		peer.pull(1 << 20)
		return len(peer.got) == 5000+900+100+300_000+1
	})
}

// However fast it is written to, a connection is not aborted for what was
// accepted.
func TestRefWriteNeverAborts(t *testing.T) {
	r := newRig(t)
	r.settings.HighWater, r.settings.LowWater, r.settings.MaxOutput = 64<<10, 32<<10, 256<<10
	ours, _ := slowPair(t, unixPair)
	p := &script{}
	c := r.adopt(ours, p)
	ref := c.Ref()
	chunk := make([]byte, 16<<10)
	accepted := 0
	// Every task of the cycle makes room for one more write, as a goroutine beside
	// the loop would.
	var write func()
	write = func() {
		if ref.Write(chunk) == nil {
			accepted += len(chunk)
		}
		_ = r.loop.Post(write)
	}
	_ = r.loop.Post(write)
	for range 5 {
		r.cycle()
	}
	if p.ended() {
		t.Fatalf("calls %q after %d bytes were accepted", p.calls, accepted)
	}
	if limit := 2*64<<10 + len(chunk) + 64<<10; accepted > limit {
		t.Errorf("%d bytes accepted for a peer that does not read, want less than %d", accepted, limit)
	}
	if got := int64(accepted) - int64(r.loop.count.BytesWritten) - c.Pending() - c.posted.Load(); got != 0 {
		t.Errorf("%d bytes lost of %d that were accepted", got, accepted)
	}
}

// 16 goroutines write tagged records to one connection whose peer reads slowly:
// offsets exact, each goroutine's order kept, nothing lost that was accepted.
func TestRefWriteFromManyGoroutines(t *testing.T) {
	const goroutines, each = 16, 1500
	r := newRig(t)
	r.settings.HighWater, r.settings.LowWater = 32<<10, 8<<10
	ours, peer := slowPair(t, unixPair)
	c := r.adopt(ours, &script{})
	ref := c.Ref()
	stop := running(t, r.loop)

	var writers sync.WaitGroup
	for g := range goroutines {
		writers.Go(func() {
			for i := range each {
				record := make([]byte, 12, 12+(g*31+i)%200)
				record = record[:cap(record)]
				binary.BigEndian.PutUint32(record, uint32(len(record)))
				binary.BigEndian.PutUint32(record[4:], uint32(g))
				binary.BigEndian.PutUint32(record[8:], uint32(i))
				deadline := time.Now().Add(patience)
				for errors.Is(ref.Write(record), ErrOutputFull) {
					if time.Now().After(deadline) {
						t.Errorf("goroutine %d: no room for record %d after %v", g, i, patience)
						return
					}
					runtime.Gosched()
				}
			}
		})
	}
	finished := make(chan struct{})
	go func() {
		writers.Wait()
		_ = ref.Do((*Conn).Close)
		close(finished)
	}()

	peer.readToEnd(2000)
	receive(t, finished, "the writers finish")
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	var next [goroutines]uint32
	rest := peer.got
	for len(rest) >= 12 {
		size, g, i := binary.BigEndian.Uint32(rest), binary.BigEndian.Uint32(rest[4:]), binary.BigEndian.Uint32(rest[8:])
		if g >= goroutines || int(size) != 12+(int(g)*31+int(i))%200 || int(size) > len(rest) {
			t.Fatalf("at %d: no record begins here: size %d, goroutine %d, number %d", len(peer.got)-len(rest), size, g, i)
		}
		if i != next[g] {
			t.Fatalf("goroutine %d: record %d, want %d", g, i, next[g])
		}
		if !bytes.Equal(rest[12:size], make([]byte, size-12)) {
			t.Fatalf("goroutine %d, record %d: torn", g, i)
		}
		next[g]++
		rest = rest[size:]
	}
	for g, n := range next {
		if n != each {
			t.Errorf("goroutine %d: %d of %d records arrived", g, n, each)
		}
	}
}

func TestDoFromManyGoroutines(t *testing.T) {
	const goroutines, each = 16, 500
	r := newRig(t)
	var order [goroutines]int // the loop's
	c, _ := r.open(unixPair, &script{})
	ref := c.Ref()
	stop := running(t, r.loop)
	var callers sync.WaitGroup
	for g := range goroutines {
		callers.Go(func() {
			for i := range each {
				if err := ref.Do(func(*Conn) {
					if order[g] != i {
						t.Errorf("goroutine %d: call %d, want %d", g, i, order[g])
					}
					order[g]++
				}); err != nil {
					t.Errorf("goroutine %d: %v", g, err)
				}
			}
		})
	}
	callers.Wait()
	done := make(chan struct{})
	_ = ref.Do(func(*Conn) { close(done) })
	receive(t, done, "the last call runs")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for g, n := range order {
		if n != each {
			t.Errorf("goroutine %d: %d of %d calls ran", g, n, each)
		}
	}
}

// readToEnd reads, waiting, some bytes at a time.
func (s *socket) readToEnd(step int) {
	s.t.Helper()
	for !s.eof && s.err == nil {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}, int(patience.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if err != nil || n != 1 {
			s.t.Fatalf("nothing came in %v: %v", patience, err)
		}
		s.pull(step)
	}
}

// Small writes to a loop that does not run cost about the memory of their bytes.
func TestRefWritesInARowShareMemory(t *testing.T) {
	r := newRig(t)
	c, peer := r.open(unixPair, &script{})
	ref := c.Ref()
	const writes = 30_000
	held := func() int64 {
		bytes := int64(cap(r.loop.inbox.tasks)) * int64(unsafe.Sizeof(task{}))
		for _, task := range r.loop.inbox.tasks {
			bytes += int64(cap(task.output))
		}
		return bytes
	}
	for range writes {
		if err := ref.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if got := held(); got > 2*c.settings.HighWater {
		t.Errorf("%d writes of a byte take %d bytes, want about the high-water mark of %d", writes, got, c.settings.HighWater)
	}
	r.take(peer, writes)
}

// Writes keep their place among other tasks of the same goroutine.
func TestRefWriteKeepsItsPlaceAmongTasks(t *testing.T) {
	r := newRig(t)
	c, peer := r.open(unixPair, &script{})
	ref := c.Ref()
	_ = ref.Write([]byte("1"))
	_ = ref.Do(func(c *Conn) { _, _ = c.WriteString("2") })
	_ = ref.Write([]byte("3"))
	_ = r.loop.Post(func() { _, _ = c.WriteString("4") })
	_ = ref.Write([]byte("5"))
	_ = ref.Write(nil)
	_ = ref.Write([]byte("6"))
	r.until("all arrives", peer.has("123456"))
}
