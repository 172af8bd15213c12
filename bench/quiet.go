package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/eddynet/eddy/bench/proc"
)

// look is the state of the machine while this program only waits.
type look struct {
	Steal    float64 `json:"steal"`                  // part of the processors' time that the hypervisor gave to others
	Other    float64 `json:"other"`                  // part that other processes used
	Load     float64 `json:"load_average,omitempty"` // in the first look; later it is that of the measurement
	Governor string  `json:"governor,omitempty"`     // of the frequency, where there is one
}

// looking is the time of a look.
const looking = time.Second

// performance is the frequency governor that changes nothing meanwhile.
const performance = "performance"

// lookAround looks at the chosen processors for a second. Steal is that since began, so
// that the last look has the steal of the whole measurement.
func lookAround(cpus []int, began proc.Times) (l look, err error) {
	start, err := proc.TimesOf(cpus)
	if err != nil {
		return l, err
	}
	time.Sleep(looking)
	end, err := proc.TimesOf(cpus)
	if err != nil {
		return l, err
	}
	l = lookOf(end.Since(start), end.Since(began))
	for _, cpu := range cpus {
		if g := proc.Governor(cpu); l.Governor == "" || l.Governor == performance {
			l.Governor = g
		}
	}
	return l, nil
}

// lookOf computes a look from the times of its second, and those since the measurement began.
func lookOf(second, whole proc.Times) look {
	part := func(of, all int64) float64 { return float64(of) / float64(max(1, all)) }
	return look{Steal: part(whole.Steal, whole.All), Other: part(second.Busy, second.All)}
}

// firstLook looks at the machine before the measurement.
func (c config) firstLook() (l look, began proc.Times, err error) {
	if began, err = proc.TimesOf(c.cpus()); err != nil {
		return l, began, err
	}
	if l, err = lookAround(c.cpus(), began); err != nil {
		return l, began, err
	}
	l.Load, err = proc.LoadAverage()
	return l, began, err
}

// noise says why figures measured now would not be robust. It is empty on a quiet machine.
func (l look) noise() string {
	var faults []string
	if l.Steal > 0.01 {
		faults = append(faults, fmt.Sprintf("the hypervisor took %.1f %% of the processors' time", 100*l.Steal))
	}
	if l.Other > 0.03 {
		faults = append(faults, fmt.Sprintf("other processes used %.1f %% of the processors' time", 100*l.Other))
	}
	if l.Load > 1 {
		faults = append(faults, fmt.Sprintf("the load average was %.2f", l.Load))
	}
	if l.Governor != "" && l.Governor != performance {
		faults = append(faults, "the frequency governor is "+l.Governor)
	}
	return strings.Join(faults, ", ")
}

func (l look) String() string {
	return fmt.Sprintf("%.1f %% stolen, %.1f %% used by others", 100*l.Steal, 100*l.Other)
}
