package wheel

import (
	"math"
	"math/rand/v2"
	"sort"
	"testing"
)

// alarm is a timer that notes when it went off.
type alarm struct {
	Timer
	fired []int64 // ticks
	then  func(now int64)
}

func newAlarm(then func(now int64)) *alarm {
	a := &alarm{then: then}
	a.Owner = a
	return a
}

func (a *alarm) expire(now int64) {
	a.fired = append(a.fired, now)
	if a.then != nil {
		a.then(now)
	}
}

// advanceTo is what the loop does, with the tick for the time.
func advanceTo(w *Wheel, now int64) {
	w.Advance(now, func(t *Timer) { t.Owner.(*alarm).expire(w.elapsed) })
}

// uptimes are ticks at which a wheel may begin: fresh, around the places where 31
// and 32 bits of milliseconds end, on the borders of levels, and after an age.
var uptimes = []int64{0, 1, 63, 64, 1<<12 - 1, 1<<24 - 1, 1 << 24, 1<<30 - 1, 1 << 30,
	1<<31 - 100, 1 << 31, 1<<32 - 100, 1<<32 - 1, 1 << 32, math.MaxInt64 / 1_000_000}

func TestTimerFiresAtItsTick(t *testing.T) {
	distances := []int64{1, 2, 62, 63, 64, 65, 127, 128, 1000, 4095, 4096, 4097, 5000}
	for _, start := range uptimes {
		for _, d := range distances {
			w := New(start)
			a := newAlarm(nil)
			w.Arm(&a.Timer, start+d)
			for now := start + 1; now <= start+d; now++ {
				if len(a.fired) > 0 {
					t.Fatalf("start %d: armed for +%d, fired at +%d", start, d, a.fired[0]-start)
				}
				advanceTo(w, now)
			}
			if len(a.fired) != 1 || a.Armed() {
				t.Fatalf("start %d: armed for +%d, fired %d times by then", start, d, len(a.fired))
			}
		}
	}
}

// Far timers are moved down level by level; here the wheel is advanced only where
// next says, which is what the loop does.
func TestTimerFiresAfterCascade(t *testing.T) {
	distances := []int64{1 << 6, 1<<12 + 1, 1<<18 - 1, 1 << 18, 1<<18 + 4097, 1<<24 - 1, 1<<24 + 12345,
		horizon - 2, horizon - 1, horizon, horizon + 1, 3*horizon + 77}
	for _, start := range uptimes {
		for _, d := range distances {
			w := New(start)
			a := newAlarm(nil)
			w.Arm(&a.Timer, start+d)
			for steps := 0; len(a.fired) == 0; steps++ {
				next := w.Next()
				if next <= w.elapsed || next > start+d {
					t.Fatalf("start %d, armed for +%d: next is +%d at +%d", start, d, next-start, w.elapsed-start)
				}
				if steps > 100 {
					t.Fatalf("start %d, armed for +%d: still not fired after %d steps", start, d, steps)
				}
				advanceTo(w, next)
			}
			if a.fired[0] != start+d {
				t.Errorf("start %d: armed for +%d, fired at +%d", start, d, a.fired[0]-start)
			}
			if w.Next() != -1 {
				t.Errorf("start %d: next is %d in an empty wheel", start, w.Next())
			}
		}
	}
}

func TestTimerOfThePastFiresInTheNextAdvance(t *testing.T) {
	w := New(1000)
	late, now := newAlarm(nil), newAlarm(nil)
	w.Arm(&late.Timer, 5)
	w.Arm(&now.Timer, 1000)
	if w.Next() != 1001 {
		t.Errorf("next is %d, want 1001", w.Next())
	}
	advanceTo(w, 1001)
	if len(late.fired) != 1 || len(now.fired) != 1 {
		t.Errorf("fired %d and %d times, want once each", len(late.fired), len(now.fired))
	}
}

func TestTimeDoesNotGoBack(t *testing.T) {
	w := New(1000)
	a := newAlarm(nil)
	w.Arm(&a.Timer, 1010)
	advanceTo(w, 1005)
	advanceTo(w, 900)
	if w.elapsed != 1005 || len(a.fired) != 0 {
		t.Errorf("at %d, fired %d times, after going back", w.elapsed, len(a.fired))
	}
	advanceTo(w, 1010)
	if len(a.fired) != 1 {
		t.Errorf("fired %d times, want once", len(a.fired))
	}
}

func TestRearmInTheCallback(t *testing.T) {
	w := New(0)
	var a *alarm
	a = newAlarm(func(now int64) { w.Arm(&a.Timer, now+7) })
	w.Arm(&a.Timer, 7)
	for now := int64(1); now <= 700; now++ {
		advanceTo(w, now)
	}
	if len(a.fired) != 100 {
		t.Fatalf("fired %d times in 700 ticks, want 100", len(a.fired))
	}
	for i, at := range a.fired {
		if at != int64(i+1)*7 {
			t.Fatalf("firing %d at %d, want %d", i, at, (i+1)*7)
		}
	}
}

// A timer that is armed for a time already past, in its own callback, waits for
// the next tick: it does not keep advance from returning.
func TestRearmForThePastDoesNotSpin(t *testing.T) {
	w := New(0)
	var a *alarm
	a = newAlarm(func(int64) { w.Arm(&a.Timer, 0) })
	w.Arm(&a.Timer, 1)
	advanceTo(w, 50)
	if len(a.fired) != 50 {
		t.Errorf("fired %d times in 50 ticks, want once in each", len(a.fired))
	}
}

func TestCancelInTheCallbackOfAnotherTimerOfTheSlot(t *testing.T) {
	for _, when := range []int64{5, 5000} { // in level 0, and moved down
		w := New(0)
		var alarms [5]*alarm
		for i := range alarms {
			alarms[i] = newAlarm(nil)
			w.Arm(&alarms[i].Timer, when)
		}
		alarms[1].then = func(int64) {
			w.Cancel(&alarms[0].Timer) // has fired
			w.Cancel(&alarms[2].Timer) // the next one
			w.Cancel(&alarms[4].Timer) // the last one
			w.Arm(&alarms[3].Timer, when+1)
		}
		advanceTo(w, when)
		for i, want := range []int{1, 1, 0, 0, 0} {
			if got := len(alarms[i].fired); got != want {
				t.Errorf("slot at %d, timer %d: fired %d times, want %d", when, i, got, want)
			}
		}
		advanceTo(w, when+1)
		if got := len(alarms[3].fired); got != 1 {
			t.Errorf("slot at %d: the timer that was moved fired %d times, want once", when, got)
		}
	}
}

func TestCancelledTimerDoesNotFire(t *testing.T) {
	w := New(0)
	for _, d := range []int64{1, 64, 5000, horizon + 5} {
		a := newAlarm(nil)
		w.Arm(&a.Timer, d)
		w.Cancel(&a.Timer)
		w.Cancel(&a.Timer) // twice does no harm
		if a.Armed() {
			t.Errorf("+%d: armed after cancel", d)
		}
		advanceTo(w, w.elapsed+d)
		if len(a.fired) != 0 {
			t.Errorf("+%d: fired after cancel", d)
		}
	}
	if next := w.Next(); next != -1 && next <= w.elapsed {
		t.Errorf("next is %d at %d", next, w.elapsed)
	}
}

func TestEmptyWheelHasNoNext(t *testing.T) {
	for _, start := range uptimes {
		if next := New(start).Next(); next != -1 {
			t.Errorf("start %d: next is %d", start, next)
		}
	}
}

// Random use of the wheel, held against a list that is searched.
func TestWheelAgainstModel(t *testing.T) {
	for _, start := range uptimes {
		m := &wheelModel{
			t: t, random: rand.New(rand.NewPCG(uint64(start), 20)),
			wheel: New(start), due: map[*alarm]int64{},
		}
		for range 200 {
			a := newAlarm(nil)
			a.then = func(now int64) { m.fired(a, now) }
			m.alarms = append(m.alarms, a)
		}
		for range 3000 {
			m.step()
		}
	}
}

type wheelModel struct {
	t      *testing.T
	random *rand.Rand
	wheel  *Wheel
	alarms []*alarm
	due    map[*alarm]int64 // armed ones, and the tick at which they must fire
	from   int64            // where the advance at hand began
	to     int64            // where it ends
}

func (m *wheelModel) step() {
	a := m.alarms[m.random.IntN(len(m.alarms))]
	switch m.random.IntN(4) {
	case 0, 1:
		m.Arm(a, m.wheel.elapsed+m.distance()-2)
	case 2:
		m.wheel.Cancel(&a.Timer)
		delete(m.due, a)
	case 3:
		m.Advance(m.wheel.elapsed + m.distance())
	}
	m.checkNext()
}

// distance is log-uniform: every level gets its share, and what lies beyond the
// horizon too.
func (m *wheelModel) distance() int64 {
	return 1 + m.random.Int64N(1<<(1+m.random.IntN(32)))
}

func (m *wheelModel) Arm(a *alarm, when int64) {
	m.wheel.Arm(&a.Timer, when)
	m.due[a] = max(when, m.wheel.elapsed+1)
}

func (m *wheelModel) Advance(to int64) {
	m.from, m.to = m.wheel.elapsed, to
	advanceTo(m.wheel, to)
	if m.wheel.elapsed != to {
		m.t.Fatalf("advanced to %d, stands at %d", to, m.wheel.elapsed)
	}
	for a, when := range m.due {
		if when <= to {
			m.t.Fatalf("a timer for %d has not fired at %d (armed: %v)", when, to, a.Armed())
		}
	}
}

func (m *wheelModel) fired(a *alarm, now int64) {
	when, ok := m.due[a]
	if !ok {
		m.t.Fatalf("a timer fired at %d that was not armed", now)
	}
	if now != when {
		m.t.Fatalf("a timer for %d fired at %d, in an advance from %d to %d", when, now, m.from, m.to)
	}
	delete(m.due, a)
	switch m.random.IntN(4) {
	case 0:
		m.Arm(a, now+m.distance()-2)
	case 1:
		other := m.alarms[m.random.IntN(len(m.alarms))]
		m.wheel.Cancel(&other.Timer)
		delete(m.due, other)
	}
}

// checkNext holds that the loop would not sleep past a timer.
func (m *wheelModel) checkNext() {
	next := m.wheel.Next()
	if next != -1 && next <= m.wheel.elapsed {
		m.t.Fatalf("next is %d at %d: not ahead", next, m.wheel.elapsed)
	}
	var times []int64
	for _, when := range m.due {
		times = append(times, when)
	}
	if len(times) == 0 {
		return
	}
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	if next < 0 || next > times[0] {
		m.t.Fatalf("next is %d at %d, the earliest timer is for %d", next, m.wheel.elapsed, times[0])
	}
}
