package main

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy/bench/sample"
)

// sampleRun is a run of 1000 requests with so many µs of processor time each.
func sampleRun(peer string, round, micros int) run {
	return run{Scenario: "plaintext-64", Peer: peer, Round: round, Tool: "load", Sample: sample.Sample{
		Requests: 1000, Elapsed: time.Second, CPU: time.Duration(micros) * time.Millisecond, RSS: 5e6, P50: time.Millisecond,
	}}
}

func someReport() *report {
	return &report{
		Versions: map[string]string{"eddy": "v0"},
		Runs: []run{
			sampleRun("floor", 1, 10), sampleRun("eddy", 1, 11),
			sampleRun("floor", 2, 20), sampleRun("eddy", 2, 24),
			sampleRun("floor", 3, 30), sampleRun("eddy", 3, 30),
			{Scenario: "plaintext-64", Peer: "eddy", Tool: "strace",
				Sample: sample.Sample{Calls: map[string]float64{"read": 1, "write": 1, "nanosleep": 9}}},
		},
	}
}

func plaintext64(t *testing.T) scenario {
	t.Helper()
	list, err := choose(scenarios(), "plaintext-64", "")
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

func TestSpread(t *testing.T) {
	if s := spreadOf([]float64{5, 1, 3}); s != (spread{3, 1, 5}) {
		t.Error(s)
	}
	if s := spreadOf([]float64{4, 1, 2, 3}); s != (spread{2.5, 1, 4}) {
		t.Error(s)
	}
	if s := spreadOf(nil); s != (spread{}) {
		t.Error(s)
	}
}

func TestRatiosAreWithinARound(t *testing.T) {
	rows := someReport().rows(plaintext64(t))
	floor, _ := find(rows, "floor", "load")
	eddy, _ := find(rows, "eddy", "load")
	s, ok := eddy.ratio(floor, perRequest)
	if !ok || math.Abs(s.median-1.1) > 1e-9 || math.Abs(s.least-1) > 1e-9 || math.Abs(s.most-1.2) > 1e-9 {
		t.Error(s, ok)
	}
	if _, ok := eddy.ratio(row{}, perRequest); ok {
		t.Error("there is a ratio to an empty row")
	}
}

func TestOneVoidRunVoidsTheRow(t *testing.T) {
	r := someReport()
	r.Runs[3].Void = "errors: 1 read"
	rows := r.rows(plaintext64(t))
	if _, found := find(rows, "eddy", "load"); found {
		t.Error("a row with a void run was found")
	}
	var out strings.Builder
	if err := r.show(&out, markdown); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "| eddy | void |") || !strings.Contains(out.String(), "eddy is void: errors: 1 read") {
		t.Error(out.String())
	}
}

func TestEachToolHasItsRow(t *testing.T) {
	r := someReport()
	for i := range r.Runs[:2] {
		r.Runs[i].Tool = "wrk"
	}
	var labels []string
	for _, w := range r.rows(plaintext64(t)) {
		labels = append(labels, w.label)
	}
	if got := strings.Join(labels, ", "); got != "floor (wrk), floor (load), eddy (wrk), eddy (load)" {
		t.Error(got)
	}
}

func TestTables(t *testing.T) {
	var out strings.Builder
	if err := someReport().show(&out, markdown); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"### plaintext-64: 64 connections\n\n|  | CPU µs | × floor | requests/s |",
		"\n|---|---|",
		"| floor | 20.00 (10.00–30.00) |  | 1000 | 1000 |  |  | 5.0 |", // no p99 was measured
		"| eddy | 24.00 (11.00–30.00) | 1.10 (1.00–1.20) | 1000 |",
		"| 5.0 | 0.00 | 2.00 |\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := text(&out, table{{"a", "bbb"}, {"cccc", "d"}}); err != nil || out.String() != "a     bbb\ncccc  d\n" {
		t.Errorf("%q %v", out.String(), err)
	}
}
