package main

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestInvalidFlagsAreRefused(t *testing.T) {
	for args, want := range map[string]string{
		"-rounds 0":                              "at least 1",
		"-duration 1ms":                          "at least 10ms",
		"-load ab":                               "must be auto",
		"-scenario nonsense":                     "there are plaintext-1",
		"-peer nonsense":                         "there are floor",
		"-peer net -scenario json":               "no scenario is left",
		"-server-cpus 0-1":                       "would disturb each other",
		"-swap -client-cpus 0,2":                 "must be as many",
		"-from a.json -swap":                     "does not measure",
		"-from a.json -against HEAD":             "does not measure",
		"-against HEAD -scenario parser":         "with eddy or adapter",
		"-client-cpus a":                         "-client-cpus",
		"plaintext-64":                           "with -scenario",
		"-from a.json -json b.json":              "does not measure",
		"-scenario plaintext-64, -peer fasthttp": "there are plaintext-1",
	} {
		_, err := parseConfig(strings.Fields(args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", args, err, want)
		}
	}
}

func TestScenariosAndPeersAreChosen(t *testing.T) {
	c, err := parseConfig(strings.Fields("-scenario plaintext-64,json -peer eddy,floor"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.scenarios) != 2 || !slices.Equal(c.scenarios[0].peers, []string{"floor", "eddy"}) ||
		!slices.Equal(c.scenarios[1].peers, []string{"eddy"}) {
		t.Errorf("%+v", c.scenarios)
	}
	if all := scenarios(); len(all[1].peers) != 9 {
		t.Error("choose changed the list:", all[1].peers)
	}
}

func TestOtherFlagsOverrideQuick(t *testing.T) {
	c, err := parseConfig(strings.Fields("-quick -rounds 7 -scenario echo-64"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c.rounds != 7 || c.duration != time.Second || c.calls || len(c.scenarios) != 1 {
		t.Errorf("%+v", c)
	}
	if c, err = parseConfig([]string{"-quick"}, io.Discard); err != nil || len(c.scenarios) >= len(scenarios()) {
		t.Error(len(c.scenarios), err)
	}
}

// A full run should take about half an hour, including unplanned time such as building.
func TestDefaultRunIsNotTooLong(t *testing.T) {
	for args, limit := range map[string]time.Duration{"": 36 * time.Minute, "-quick": 105 * time.Second} {
		c, err := parseConfig(strings.Fields(args), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		b := newBench(c, nil)
		_, planned := b.plan()
		if planned > limit {
			t.Errorf("%q takes %v, more than %v", args, planned, limit)
		}
		t.Log(args, planned)
	}
}

func TestScenariosAreConsistent(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios() {
		if seen[s.Name] || len(s.peers) == 0 || s.About == "" {
			t.Errorf("%s is a duplicate, or has no peers or no description", s.Name)
		}
		seen[s.Name] = true
		if s.wrk && (s.protocol != "" || s.holders > 0 || s.slow > 0 || s.perConnection > 0 || s.rate > 0) {
			t.Errorf("%s: wrk cannot make this load", s.Name)
		}
		if s.connections+s.holders+s.slow > 19_000 {
			t.Errorf("%s needs more descriptors than many machines allow", s.Name)
		}
	}
}

func TestEverydayRatesHaveTheSamePeers(t *testing.T) {
	rates := map[string]float64{"rate-200": 200, "rate-1000": 1000, "rate-3000": 3000, "open-loop": 10_000, "rate-20000": 20_000}
	for _, s := range scenarios() {
		if want, found := rates[s.Name]; found {
			delete(rates, s.Name)
			if s.rate != want || s.connections != 64 || !slices.Equal(s.peers, everyday()) {
				t.Errorf("%+v", s)
			}
		}
	}
	if len(rates) != 0 {
		t.Error("missing:", rates)
	}
}

func TestWithoutFloor(t *testing.T) {
	for _, s := range withoutFloor(scenarios()) {
		if slices.Contains(s.peers, "floor") {
			t.Error(s.Name, "still has the floor")
		}
	}
	if !slices.Contains(scenarios()[0].peers, "floor") {
		t.Error("the list had no floor in the first place")
	}
}
