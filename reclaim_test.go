package eddy

import (
	"runtime"
	"testing"
)

func TestSpikeIsReclaimedAtRest(t *testing.T) {
	const mib = 1 << 20
	var r rest
	for i, step := range []struct {
		name      string
		cycles    uint64
		live      uint64
		off       bool
		spent     bool
		remaining uint64 // live after the collection that spent asks for
	}{
		{name: "start", cycles: 1, live: 2 * mib},
		{name: "small heap at rest", cycles: 1, live: 2 * mib},
		{name: "spike", cycles: 9, live: 900 * mib},
		{name: "collections go on", cycles: 10, live: 1500 * mib},
		{name: "rest", cycles: 10, live: 1500 * mib, spent: true, remaining: 3 * mib},
		{name: "nothing new", cycles: 12, live: 3 * mib},
		{name: "live data that stays", cycles: 15, live: 200 * mib},
		{name: "is looked at once", cycles: 15, live: 200 * mib, spent: true, remaining: 200 * mib},
		{name: "and left alone", cycles: 17, live: 200 * mib},
		{name: "also when it has grown a little", cycles: 18, live: 400 * mib},
		{name: "at rest", cycles: 18, live: 400 * mib},
		{name: "the live data has gone", cycles: 19, live: 2 * mib},
		{name: "at rest again", cycles: 19, live: 2 * mib},
		{name: "another spike", cycles: 22, live: 100 * mib},
		{name: "with collecting switched off", cycles: 22, live: 100 * mib, off: true},
		{name: "and on", cycles: 22, live: 100 * mib, spent: true, remaining: 2 * mib},
	} {
		if got := r.spent(heapSample{step.cycles, step.live, step.off}); got != step.spent {
			t.Fatalf("%d, %s: spent is %v", i, step.name, got)
		}
		if step.spent {
			r.collected(heapSample{cycles: step.cycles + 2, live: step.remaining})
		}
	}
}

func TestHeapSampleSeesACollection(t *testing.T) {
	before := sampleHeap()
	kept := make([]byte, 8<<20)
	runtime.GC()
	after := sampleHeap()
	if after.cycles <= before.cycles || after.live < uint64(len(kept)) {
		t.Errorf("before %+v, after a collection %+v with %d bytes live", before, after, len(kept))
	}
	runtime.KeepAlive(kept)
}
