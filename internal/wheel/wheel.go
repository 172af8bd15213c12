// Package wheel is a timing wheel: timers whose arming, moving and cancelling are O(1).
package wheel

import "math/bits"

// The wheel has five levels of 64 slots. A slot of level 0 is one tick; a slot of
// the next level is as long as the whole level below it. So arming, moving and
// cancelling a timer are O(1), and a timer is moved down at most four times.
const (
	slotBits = 6
	slots    = 1 << slotBits
	levels   = 5
	horizon  = 1 << (slotBits * levels) // ticks: 12.4 days; later timers wait at the far end
	// Tick is the resolution, in nanoseconds.
	Tick = 1e6
)

// Timer is a node in a wheel, embedded in its owner. The zero value is not armed.
type Timer struct {
	next, prev *Timer
	When       int64 // tick at which it expires
	Owner      any   // that expires
}

// Armed reports whether the timer waits to expire.
func (t *Timer) Armed() bool { return t.next != nil }

// Wheel is a hierarchical timing wheel. Time is an argument: ticks of one
// millisecond on a clock that never goes back. It belongs to one goroutine.
type Wheel struct {
	elapsed  int64 // the tick up to which timers have expired
	occupied [levels]uint64
	lists    [levels][slots]Timer // heads of circular lists
}

// New returns a wheel whose time is the tick now.
func New(now int64) *Wheel {
	w := &Wheel{elapsed: now}
	for level := range w.lists {
		for slot := range w.lists[level] {
			head := &w.lists[level][slot]
			head.next, head.prev = head, head
		}
	}
	return w
}

// Arm makes t expire at the tick when, or in the next advance if that has passed.
// An armed timer is moved.
func (w *Wheel) Arm(t *Timer, when int64) {
	w.Cancel(t)
	t.When = when
	w.insert(t)
}

// Cancel unlinks t. The slot's mark stays: a mark without timers costs at
// most one early wake-up, and finding out would cost more.
func (w *Wheel) Cancel(t *Timer) {
	if t.next == nil {
		return
	}
	t.prev.next, t.next.prev = t.next, t.prev
	t.next, t.prev = nil, nil
}

func (w *Wheel) insert(t *Timer) {
	// The next tick is the earliest that advance will look at.
	at := min(max(t.When, w.elapsed+1), w.elapsed+horizon-1)
	level := levelOf(w.elapsed, at)
	slot := at >> (level * slotBits) & (slots - 1)
	head := &w.lists[level][slot]
	t.prev, t.next = head.prev, head
	head.prev.next, head.prev = t, t
	w.occupied[level] |= 1 << slot
}

// levelOf is the level at which two ticks first differ, seen from the top: there
// the later one's slot lies ahead within the same turn of the level.
func levelOf(elapsed, at int64) int {
	level := (bits.Len64(uint64(elapsed^at)) - 1) / slotBits
	return min(level, levels-1)
}

// Next is the tick at which advance has something to do, or -1 if there are no
// timers.
func (w *Wheel) Next() int64 {
	for level := range levels {
		if w.occupied[level] == 0 {
			continue
		}
		shift := level * slotBits
		here := w.elapsed >> shift
		ahead := bits.RotateLeft64(w.occupied[level], -int(here&(slots-1)))
		// The current slot of a level is done, so a mark on it means the next turn.
		distance := int64(bits.TrailingZeros64(ahead &^ 1))
		return (here + distance) << shift
	}
	return -1
}

// Advance moves time to the tick now and hands every timer that has expired to
// expire, which may arm and cancel timers.
func (w *Wheel) Advance(now int64, expire func(*Timer)) {
	for {
		at := w.Next()
		if at < 0 || at > now {
			break
		}
		w.elapsed = at
		w.turn(expire)
	}
	w.elapsed = max(w.elapsed, now)
}

// turn empties the slots that begin at the tick elapsed, the highest level first:
// what is due expires, the rest moves down.
func (w *Wheel) turn(expire func(*Timer)) {
	for level := levels - 1; level >= 0; level-- {
		shift := level * slotBits
		if w.elapsed&(1<<shift-1) != 0 {
			continue
		}
		slot := w.elapsed >> shift & (slots - 1)
		if w.occupied[level]&(1<<slot) == 0 {
			continue
		}
		w.occupied[level] &^= 1 << slot
		head := &w.lists[level][slot]
		for t := head.next; t != head; t = head.next {
			w.Cancel(t)
			if t.When <= w.elapsed {
				expire(t)
			} else {
				w.insert(t)
			}
		}
	}
}
