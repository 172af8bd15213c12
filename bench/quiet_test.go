package main

import (
	"strings"
	"testing"

	"github.com/eddynet/eddy/bench/proc"
)

func TestNoiseHasItsReason(t *testing.T) {
	for want, l := range map[string]look{
		"":                         {Load: 0.4, Governor: "performance", Steal: 0.001, Other: 0.01},
		"took 5.0 %":               {Steal: 0.05},
		"processes used 12.5 %":    {Other: 0.125},
		"load average was 1.50":    {Load: 1.5},
		"governor is powersave":    {Governor: "powersave"},
		"took 50.0 % of the proce": {Steal: 0.5, Other: 0.5},
	} {
		if got := l.noise(); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%+v: %q, want %q", l, got, want)
		}
	}
}

func TestStealIsThatOfTheWholeMeasurement(t *testing.T) {
	l := lookOf(proc.Times{All: 200, Busy: 20, Steal: 0}, proc.Times{All: 10_000, Busy: 9000, Steal: 500})
	if l.Steal != 0.05 || l.Other != 0.1 {
		t.Errorf("%+v", l)
	}
	if l := lookOf(proc.Times{}, proc.Times{}); l != (look{}) {
		t.Errorf("%+v", l)
	}
}

func TestANoisyMachineIsAnErrorWithStrict(t *testing.T) {
	noisy := &look{Other: 0.5}
	if err := (config{strict: true}).judge(noisy, "before"); err == nil || !strings.Contains(err.Error(), "noisy before the measurement: other") {
		t.Error(err)
	}
	if err := (config{}).judge(noisy, "after"); err != nil {
		t.Error(err)
	}
	if err := (config{strict: true}).judge(&look{}, "after"); err != nil {
		t.Error(err)
	}
}

func TestConditionsAreReported(t *testing.T) {
	r := someReport()
	if lines := r.conditions(); lines != nil {
		t.Error("a file without conditions has", lines)
	}
	r.Seed, r.Before, r.After = 7, &look{Other: 0.002}, &look{Steal: 0.25}
	got := strings.Join(r.conditions(), "\n")
	for _, want := range []string{
		"-seed 7.",
		"before the measurement: 0.0 % stolen, 0.2 % used by others.\n",
		"after the measurement: 25.0 % stolen, 0.0 % used by others. It was NOISY: the hypervisor took 25.0 %",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
