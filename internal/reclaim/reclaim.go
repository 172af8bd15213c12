// Package reclaim collects the garbage of load spikes.
package reclaim

import (
	"math"
	"runtime"
	"runtime/metrics"
	"time"
)

// Go collects garbage when the heap has grown by as much as was live before, or
// after two minutes, and keeps the memory that the heap had as its goal then. After a
// spike of load that is long: the engine allocates next to nothing in ordinary work,
// and the garbage of the spike stays. So the engine looks now and then, and
// collects it when the program is idle; the runtime then gives the memory back
// to the system within seconds.

const (
	// reclaimEvery is the time between two looks.
	reclaimEvery = 4 * time.Second
	// reclaimFrom is how many bytes the heap must hold too much to be worth it.
	reclaimFrom = 16 << 20
	// pauseMin and pauseMax are how many looks pass after a collection before the
	// next one. They double where there is no sign that anything has changed, up to
	// the two minutes of the runtime's own.
	pauseMin, pauseMax = 2, 30
)

// heapSample is a sample of the runtime's heap metrics.
type heapSample struct {
	allocated uint64 // bytes since the start
	held      uint64 // bytes that the system has not got back, in use or not
	live      uint64 // bytes that the last collection found in use
	percent   uint64 // GOGC; math.MaxUint64 if collecting is switched off
}

func sampleHeap() heapSample {
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/gc/gogc:percent"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	n := func(i int) uint64 { return samples[i].Value.Uint64() }
	return heapSample{allocated: n(0), live: n(1), percent: n(2), held: n(3) + n(4) + n(5)}
}

// reclaimer decides when to collect.
type reclaimer struct {
	allocated uint64 // at the last look
	live      uint64 // as far as is known
	pause     int    // looks after the last collection
	wait      int    // looks that are left of it
}

// due reports whether to collect: the program has allocated next to nothing since the
// last look, and the heap holds more than that needs, or might.
func (r *reclaimer) due(now heapSample) bool {
	atRest := now.allocated-r.allocated <= max(now.held/64, 1<<20)
	r.allocated = now.allocated
	r.live = min(r.live, now.live)
	if !atRest || now.held < reclaimFrom || now.percent == math.MaxUint64 {
		return false
	}
	usual := float64(r.live) * (1 + float64(now.percent)/100) * 1.25
	if float64(now.held) > usual+reclaimFrom {
		r.pause, r.wait = 0, min(r.wait, pauseMin)
	}
	if r.wait > 0 {
		r.wait--
		return false
	}
	return true
}

// collected tells of the heap after a collection.
func (r *reclaimer) collected(now heapSample) {
	r.allocated, r.live = now.allocated, now.live
	r.pause = min(max(2*r.pause, pauseMin), pauseMax)
	r.wait = r.pause
}

// Run collects the garbage of spikes until stop is closed.
func Run(stop <-chan struct{}) {
	tick := time.NewTicker(reclaimEvery)
	defer tick.Stop()
	for r := new(reclaimer); ; {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		if r.due(sampleHeap()) {
			runtime.GC()
			runtime.GC() // the second empties the sync.Pools, and the goal falls
			r.collected(sampleHeap())
		}
	}
}
