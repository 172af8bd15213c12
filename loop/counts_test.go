package loop

import (
	"runtime"
	"sync"
	"testing"
)

type lineCount struct{ Lines, Bytes uint64 }

func TestCountsArePublishedBeforeTheWait(t *testing.T) {
	r := newRig(t)
	c := NewCounts[lineCount](r.loop.Loop)
	var within lineCount
	_ = r.loop.Post(func() {
		c.Own.Lines++
		c.Own.Bytes += 7
		within = c.Read() // on the loop too
	})
	r.cycle()
	if want := (lineCount{}); within != want {
		t.Errorf("in the callback: %+v, want %+v", within, want)
	}
	if want := (lineCount{1, 7}); c.Read() != want {
		t.Errorf("after the cycle: %+v, want %+v", c.Read(), want)
	}
}

func TestCountsAreReadWhileTheLoopRuns(t *testing.T) {
	r := newRig(t)
	r.loop.clock = sinceStart
	stop := running(t, r.loop)
	made := make(chan *Counts[lineCount], 1)
	_ = r.loop.Post(func() { made <- NewCounts[lineCount](r.loop.Loop) })
	c := receive(t, made, "the loop makes them")
	const times = 1000
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for last := uint64(0); last < times; {
				now := c.Read()
				if now.Lines < last || now.Bytes != 3*now.Lines {
					t.Errorf("%+v after %d lines", now, last)
					return
				}
				last = now.Lines
			}
		})
	}
	for range times {
		_ = r.loop.Post(func() { c.Own.Lines++; c.Own.Bytes += 3 })
	}
	readers.Wait()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// Protocols come and go with their listeners.
func TestCountsEndWithTheirProtocol(t *testing.T) {
	r := newRig(t)
	kept := NewCounts[lineCount](r.loop.Loop)
	for range 100 {
		NewCounts[lineCount](r.loop.Loop)
	}
	r.until("only those in use are published", func() bool {
		runtime.GC()
		r.loop.published.mu.Lock()
		defer r.loop.published.mu.Unlock()
		return len(r.loop.published.counts) == 1
	})
	kept.Own.Lines++
	r.cycle()
	if got := kept.Read(); got.Lines != 1 {
		t.Errorf("published %+v, want what was counted", got)
	}
}
