package main

import (
	"math"
	"strings"
	"testing"

	"github.com/eddynet/eddy/bench/sample"
)

// on returns runs with other processors, a generator and a processor time.
func on(swapped bool, tool string, one run) run {
	one.Swapped, one.Tool = swapped, tool
	return one
}

func TestWorstMedianIsThatOfOneCondition(t *testing.T) {
	r := someReport() // 1.1, 1.2, 1.0 with load
	r.Machine = machine{ServerCPUs: "1", ClientCPUs: "0"}
	for round, micros := range []int{15, 16, 12} { // 1.5, 1.6, 1.2
		r.Runs = append(r.Runs, on(true, "load", sampleRun("floor", round+1, 10)), on(true, "load", sampleRun("eddy", round+1, micros)))
	}
	s := plaintext64(t)
	c, ok := compare(s, r.rows(s), "eddy", "floor")
	if !ok || math.Abs(c.worst-1.5) > 1e-9 || c.in != (condition{"load", true}) || math.Abs(c.ratio.median-1.2) > 1e-9 ||
		math.Abs(c.ratio.most-1.6) > 1e-9 {
		t.Errorf("%+v", c)
	}
	for round, micros := range []int{17, 18, 19} {
		r.Runs = append(r.Runs, on(false, "wrk", sampleRun("floor", round+1, 10)), on(false, "wrk", sampleRun("eddy", round+1, micros)))
	}
	if c, _ := compare(s, r.rows(s), "eddy", "floor"); math.Abs(c.worst-1.8) > 1e-9 || c.in != (condition{"wrk", false}) {
		t.Errorf("%+v", c)
	}
	var out strings.Builder
	if err := r.show(&out, markdown); err != nil {
		t.Fatal(err)
	}
	if want := "| eddy / floor | 1.50 (1.00–1.90) | 1.80 | wrk, server on 1 |\n"; !strings.Contains(out.String(), want) {
		t.Errorf("no %q in\n%s", want, out.String())
	}
}

func TestOneConditionNeedsNoFurtherTable(t *testing.T) {
	s := plaintext64(t)
	if table := compareEddy(s, someReport().rows(s), machine{}); table != nil {
		t.Error(table)
	}
}

func TestRatiosAreWithinAnAssignment(t *testing.T) {
	floor := row{runs: []run{sampleRun("floor", 1, 10), on(true, "load", sampleRun("floor", 1, 20))}}
	eddy := row{runs: []run{sampleRun("eddy", 1, 11)}}
	if list := eddy.ratios(floor, perRequest); len(list) != 1 || list[0] != 1.1 {
		t.Error(list)
	}
}

func TestAnotherPeerTakesThePlaceOfEddy(t *testing.T) {
	list, err := choose(scenarios(), "adapter", "")
	if err != nil {
		t.Fatal(err)
	}
	r := report{Runs: []run{
		{Scenario: "adapter", Peer: "adapter", Round: 1, Tool: "load", Sample: sample.Sample{Requests: 1, CPU: 2000}},
		{Scenario: "adapter", Peer: "nethttp", Round: 1, Tool: "load", Sample: sample.Sample{Requests: 1, CPU: 4000}},
	}}
	got := comparisons(list[0], r.rows(list[0]))
	if len(got) != 1 || got[0].of != "adapter" || got[0].to != "nethttp" || got[0].ratio.median != 0.5 {
		t.Errorf("%+v", got)
	}
}
