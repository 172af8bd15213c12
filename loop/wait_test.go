package loop

import (
	"testing"
	"time"

	"github.com/eddynet/eddy/poller"
)

// idler passes the time of each wait, and counts those that park.
type idler struct {
	poller.Backend
	pass   func()
	parked int
}

func (i *idler) Wait(time.Duration) ([]poller.Event, error) {
	i.pass()
	return nil, nil
}

func (i *idler) Park(timeout time.Duration) ([]poller.Event, error) {
	i.parked++
	return i.Wait(timeout)
}

// A loop parks once its waits are long, or when it hands work to other goroutines, and
// blocks once they are short.
func TestLongWaitsPark(t *testing.T) {
	r := newRig(t)
	var idle time.Duration
	waits := &idler{Backend: r.loop.poller, pass: func() { r.now.Add(int64(idle)) }}
	r.loop.poller = waits
	for _, c := range []struct {
		name   string
		idle   time.Duration
		yields bool
		parks  bool
	}{
		{"short waits", 5 * time.Microsecond, false, false},
		{"long waits", 300 * time.Microsecond, false, true},
		{"neither", (parkAbove + blockBelow) / 2, false, true}, // as before
		{"short waits again", 5 * time.Microsecond, false, false},
		{"neither again", (parkAbove + blockBelow) / 2, false, false},
		{"short waits for other goroutines", 5 * time.Microsecond, true, true},
		{"and without them", 5 * time.Microsecond, false, false},
	} {
		idle = c.idle
		for i := range 200 {
			if i == 150 { // the average has followed
				waits.parked = 0
			}
			if c.yields {
				r.loop.Yield()
			}
			if err := r.loop.cycle(poller.Forever); err != nil {
				t.Fatal(err)
			}
		}
		if want := map[bool]int{true: 50}[c.parks]; waits.parked != want {
			t.Errorf("%s: %d of 50 waits parked, want %d", c.name, waits.parked, want)
		}
	}
}

// After an hour without an event, a burst of requests does not park for long.
func TestOneLongWaitIsOneWait(t *testing.T) {
	r := newRig(t)
	idle := 5 * time.Microsecond
	waits := &idler{Backend: r.loop.poller, pass: func() { r.now.Add(int64(idle)) }}
	r.loop.poller = waits
	for i := range 100 {
		idle = 5 * time.Microsecond
		if i == 50 {
			idle = time.Hour
		}
		if err := r.loop.cycle(poller.Forever); err != nil {
			t.Fatal(err)
		}
	}
	if waits.parked != 0 {
		t.Errorf("%d waits parked, want none", waits.parked)
	}
}
