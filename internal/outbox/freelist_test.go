package outbox

import (
	"runtime"
	"testing"
	"time"

	"github.com/eddynet/eddy/buffers"
)

func TestFreeListReturnsTheSameBufferEmpty(t *testing.T) {
	var s FreeList
	b := s.Get()
	b.B = append(b.B, "left over"...)
	s.Put(b)
	again := s.Get()
	if again != b {
		t.Error("the buffer given back last was not the next one handed out")
	}
	if len(again.B) != 0 {
		t.Errorf("it still holds %q", again.B)
	}
}

// Random traffic over one FreeList: a buffer that somebody owns is never handed out
// to anybody else, nor changed.
func TestBufferHasOneOwner(t *testing.T) {
	const steps = 20_000
	random := newRandom(t)
	var s FreeList
	type owned struct {
		buffer *buffers.Buffer
		mark   byte
	}
	var held []owned
	owner := map[*buffers.Buffer]bool{}
	for step := range steps {
		if len(held) == 0 || len(held) < 40 && random.IntN(2) == 0 {
			b := s.Get()
			if owner[b] {
				t.Fatalf("step %d: a buffer was handed out to a second owner", step)
			}
			if len(b.B) != 0 {
				t.Fatalf("step %d: a buffer came with %d bytes in it", step, len(b.B))
			}
			owner[b] = true
			mark := byte(step)
			b.B = append(b.B, mark, mark)
			held = append(held, owned{b, mark})
			continue
		}
		i := random.IntN(len(held))
		h := held[i]
		if len(h.buffer.B) != 2 || h.buffer.B[0] != h.mark || h.buffer.B[1] != h.mark {
			t.Fatalf("step %d: a buffer changed in its owner's hands", step)
		}
		held[i] = held[len(held)-1]
		held = held[:len(held)-1]
		delete(owner, h.buffer)
		s.Put(h.buffer)
	}
}

func TestOversizeBufferIsNotKept(t *testing.T) {
	var s FreeList
	big := s.Get()
	big.B = append(big.B[:0], make([]byte, buffers.MaxKept+1)...)
	s.Put(big)
	if len(s.buffers) != 0 {
		t.Fatal("the free list kept a buffer above buffers.MaxKept")
	}

	// Nor does the pool. sync.Pool may drop a buffer, but never returns one that it was not given.
	buffers.Put(big)
	for range 64 {
		if buffers.Get() == big {
			t.Fatal("the pool kept a buffer above buffers.MaxKept")
		}
	}
}

func TestLargestKeptBufferIsKept(t *testing.T) {
	var s FreeList
	b := &buffers.Buffer{B: make([]byte, 10, buffers.MaxKept)}
	s.Put(b)
	if s.Get() != b {
		t.Error("a buffer of buffers.MaxKept bytes was not kept")
	}
}

func TestFreeListIsBounded(t *testing.T) {
	var s FreeList
	small, large := &buffers.Buffer{B: make([]byte, 1)}, &buffers.Buffer{B: make([]byte, buffers.MaxKept)}
	s.Put(small)
	s.Put(large)
	if s.Get() != small {
		t.Error("the large buffer was kept beside the small one")
	}
	s.Put(large)
	s.Put(small)
	if s.Get() != large {
		t.Error("the small buffer was kept beside the large one")
	}
	held := map[*buffers.Buffer]bool{}
	for range 2 * maxFree {
		b := &buffers.Buffer{B: make([]byte, 1)}
		held[b] = true
		s.Put(b)
	}
	for n := range maxFree {
		if b := s.Get(); !held[b] {
			t.Fatalf("%d buffers were kept, not %d", n, maxFree)
		} else {
			delete(held, b)
		}
	}
	if len(s.buffers) != 0 || s.size != 0 {
		t.Errorf("%d buffers of %d bytes are kept beyond them", len(s.buffers), s.size)
	}
}

// A buffer or queue that its owner drops is collected: the free list has no reference to it.
func TestFreeListDropsItsReferenceOnGet(t *testing.T) {
	var s FreeList
	collected := make(chan bool, 2)
	func() {
		b, q := s.Get(), s.GetQueue()
		runtime.AddCleanup(b, func(c chan bool) { c <- true }, collected)
		runtime.AddCleanup(q, func(c chan bool) { c <- true }, collected)
		s.Put(b)
		s.PutQueue(q)
		s.Get()
		s.GetQueue()
	}()
	for range 2 {
		for deadline := time.Now().Add(10 * time.Second); len(collected) == 0; runtime.GC() {
			if time.Now().After(deadline) {
				t.Fatal("still held")
			}
			time.Sleep(time.Millisecond)
		}
		<-collected
	}
	runtime.KeepAlive(&s)
}

func TestReusedQueueIsEmpty(t *testing.T) {
	var s FreeList
	q := s.GetQueue()
	q.Write([]byte("never written"))
	q.WriteOwned([]byte("neither"), nil)
	q.Advance(3)
	s.PutQueue(q)

	again := s.GetQueue()
	if again != q {
		t.Error("the queue given back last was not the next one handed out")
	}
	checkEmpty(t, again)
	if other := s.GetQueue(); other == again {
		t.Fatal("two owners of one queue")
	}
	again.Write([]byte("new"))
	if got := drain(t, again); got != "new" {
		t.Errorf("a used queue held %q, want %q", got, "new")
	}
}

func TestQueueOfManySegmentsIsNotKept(t *testing.T) {
	var s FreeList
	q := s.GetQueue()
	for range maxSegmentsKept + 1 {
		q.WriteOwned([]byte("x"), nil)
	}
	s.PutQueue(q)
	if len(s.queues) != 0 {
		t.Errorf("the free list kept a queue of %d segments, more than %d", cap(q.segments), maxSegmentsKept)
	}
}
