package reclaim

import (
	"math"
	"runtime"
	"testing"
)

const mib = 1 << 20

// reclaimSteps drives a reclaimer; sizes are in MiB.
type reclaimSteps struct {
	t         *testing.T
	reclaimer reclaimer
	allocated uint64
}

// look has it look, and expects to hear that a collection is due, or not.
func (s *reclaimSteps) look(name string, allocates, held, live uint64, want bool) {
	s.t.Helper()
	s.allocated += allocates * mib
	if got := s.reclaimer.due(heapSample{s.allocated, held * mib, live * mib, 100}); got != want {
		s.t.Errorf("%s: due is %v", name, got)
	}
}

func (s *reclaimSteps) collect(held, live uint64) {
	s.reclaimer.collected(heapSample{s.allocated, held * mib, live * mib, 100})
}

func TestSpikeIsReclaimedAtRest(t *testing.T) {
	s := reclaimSteps{t: t}
	s.look("small heap at rest", 0, 8, 2, false)
	s.look("spike", 3000, 2000, 900, false)
	s.look("spike without a collection for a while", 1000, 3500, 900, false)
	s.look("rest", 0, 3500, 900, true)
	s.collect(3400, 3)
	s.look("memory is on its way to the system", 0, 1500, 3, false)
	for range 100 {
		s.look("it has arrived", 0, 12, 3, false)
	}
}

// The last collection of a spike may find little in use, while the heap is still held
// for the goal before it.
func TestHeldHeapIsReclaimed(t *testing.T) {
	s := reclaimSteps{t: t}
	s.look("a gap in the spike", 0, 2000, 1000, true)
	s.collect(2000, 1000)
	s.look("it goes on", 1000, 2200, 1000, false)
	s.look("and ends with a collection", 100, 2200, 40, false)
	for range pauseMin {
		s.look("rest", 0, 1700, 40, false)
	}
	s.look("rest", 0, 1700, 40, true)
}

// What is in use is not looked at again and again.
func TestLiveHeapIsLeftAlone(t *testing.T) {
	s := reclaimSteps{t: t}
	s.look("first rest", 0, 1000, 900, true)
	s.collect(1000, 900)
	collections := 0
	for range 60 * 12 { // an hour
		s.allocated += mib
		if s.reclaimer.due(heapSample{s.allocated, 1500 * mib, 900 * mib, 100}) {
			collections++
			s.collect(1500, 900)
		}
	}
	if collections < 20 || collections > 40 {
		t.Errorf("%d collections in an hour, want about one every two minutes", collections)
	}
}

func TestReclaimKeepsCollectingSwitchedOff(t *testing.T) {
	var r reclaimer
	if r.due(heapSample{held: 4000 * mib, live: 2 * mib, percent: math.MaxUint64}) {
		t.Error("a collection is due with GOGC=off")
	}
}

func TestHeapSampleSeesACollection(t *testing.T) {
	before := sampleHeap()
	kept := make([]byte, 8*mib)
	runtime.GC()
	after := sampleHeap()
	n := uint64(len(kept))
	if after.allocated < before.allocated+n || after.live < n || after.held < n || after.percent == 0 {
		t.Errorf("before %+v, after a collection %+v with %d bytes live", before, after, n)
	}
	runtime.KeepAlive(kept)
}
