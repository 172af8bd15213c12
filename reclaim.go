package eddy

import (
	"math"
	"runtime"
	"runtime/metrics"
	"time"
)

// Go collects garbage when the heap has grown by as much as was live before, or
// after two minutes. After a spike of load that is long: the engine allocates next to
// nothing in ordinary work, and what the spike has left stays. So the engine looks
// now and then, and has it collected when the program has come to rest; the runtime
// then gives the memory back to the system within seconds.

const (
	// reclaimEvery is the time between two looks. One without a collection in between
	// counts as rest.
	reclaimEvery = 5 * time.Second
	// reclaimFrom is how many bytes must have been live, beyond twice of what was at
	// rest before, to make a collection worth its while.
	reclaimFrom = 32 << 20
)

// heapSample is what the runtime tells of the heap.
type heapSample struct {
	cycles uint64 // collections since the start
	live   uint64 // bytes that were found in use by the last of them
	off    bool   // the program has switched collecting off
}

func sampleHeap() heapSample {
	samples := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/gogc:percent"},
	}
	metrics.Read(samples)
	return heapSample{
		cycles: samples[0].Value.Uint64(),
		live:   samples[1].Value.Uint64(),
		off:    samples[2].Value.Uint64() == math.MaxUint64,
	}
}

// rest remembers the heap of a program at rest.
type rest struct {
	cycles uint64 // at the last look
	live   uint64 // at rest; it grows only by a collection
}

// spent says whether the heap shows a spike that is over.
func (r *rest) spent(now heapSample) bool {
	busy := now.cycles != r.cycles
	r.cycles = now.cycles
	if busy || now.off {
		return false
	}
	if now.live > 2*r.live+reclaimFrom {
		return true
	}
	r.live = min(r.live, now.live)
	return false
}

// collected tells of the heap after a collection: what is live now may stay.
func (r *rest) collected(now heapSample) { *r = rest{cycles: now.cycles, live: now.live} }

// reclaim has the garbage of spikes collected until stop is called.
func reclaim() (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(reclaimEvery)
		defer tick.Stop()
		for r := new(rest); ; {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			if r.spent(sampleHeap()) {
				runtime.GC()
				runtime.GC() // what a sync.Pool keeps goes with the second
				r.collected(sampleHeap())
			}
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}
