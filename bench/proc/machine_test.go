package proc

import "testing"

const stat = `cpu  300 0 0 600 0 0 0 100 0 0
cpu0 10 20 30 400 50 6 7 8 0 0
cpu1 1 2 3 4 5 6 7 8 0 0
cpu10 1000 0 0 0 0 0 0 1000 0 0
intr 1 2 3 4 5 6 7 8 9
`

func TestTimesAreThoseOfTheProcessors(t *testing.T) {
	for _, c := range []struct {
		cpus []int
		want Times
	}{
		{[]int{0}, Times{All: 531, Busy: 73, Steal: 8}},
		{[]int{0, 1}, Times{All: 567, Busy: 92, Steal: 16}},
	} {
		if got, err := parseTimes(stat, c.cpus); got != c.want || err != nil {
			t.Errorf("%v: %+v, %v, want %+v", c.cpus, got, err, c.want)
		}
	}
	for text, cpus := range map[string][]int{stat: {2}, "cpu0 1 2 3 4 5 6 7 x\n": {0}, "": {0}} {
		if _, err := parseTimes(text, cpus); err == nil {
			t.Errorf("no error for the processors %v in %q", cpus, text)
		}
	}
	if got := (Times{10, 5, 1}).Since(Times{4, 3, 1}); got != (Times{6, 2, 0}) {
		t.Error(got)
	}
}

func TestThisMachineIsRead(t *testing.T) {
	if times, err := TimesOf([]int{0}); err != nil || times.All <= 0 || times.Busy > times.All {
		t.Error(times, err)
	}
	if load, err := LoadAverage(); err != nil || load < 0 {
		t.Error(load, err)
	}
	_ = Governor(0) // must not fail where there is none
}
