package buffers

import "testing"

// A pool hands out empty buffers, and none that has grown beyond its bound.
func TestPoolKeepsBuffersWithinItsBound(t *testing.T) {
	p := NewPool(1000)
	small, large := p.Get(), p.Get()
	if small == large {
		t.Fatal("a buffer has two owners")
	}
	small.B = append(small.B, "left over"...)
	large.B = append(large.B, make([]byte, 5000)...)
	p.Put(small)
	p.Put(large)
	for range 100 { // the pool may drop what it was given, but must not return this
		b := p.Get()
		if len(b.B) != 0 || cap(b.B) > 1000 {
			t.Fatalf("got a buffer of %d bytes with a capacity of %d", len(b.B), cap(b.B))
		}
	}
}

func TestOutputBuffersAreEmpty(t *testing.T) {
	b := Get()
	b.B = append(b.B, "left over"...)
	Put(b)
	for range 10 {
		if b := Get(); len(b.B) != 0 {
			t.Fatalf("got %q", b.B)
		}
	}
}
