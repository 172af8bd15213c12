package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/eddynet/eddy/bench/proc"
)

// ordered returns a bench that measures nothing, with flags.
func ordered(t *testing.T, flags string) *bench {
	t.Helper()
	c, err := parseConfig(strings.Fields(flags), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return newBench(c, nil)
}

// orders are the orders of some rounds.
func orders(b *bench) (list []string) {
	for range 10 {
		list = append(list, fmt.Sprint(b.round(b.scenarios[0])))
	}
	return list
}

func TestOrderIsThatOfTheSeed(t *testing.T) {
	const flags = "-scenario plaintext-64 -load own -seed "
	one := orders(ordered(t, flags+"1"))
	if !slices.Equal(one, orders(ordered(t, flags+"1"))) {
		t.Error("the same seed gives two orders")
	}
	if slices.Equal(one, orders(ordered(t, flags+"2"))) {
		t.Error("two seeds give the same order")
	}
	if len(slices.Compact(one)) == 1 {
		t.Error("the order is the same in each round: ", one[0])
	}
	if b := ordered(t, "-scenario json"); b.seed == 0 {
		t.Error("there is no seed to print")
	}
}

func TestEachRoundHasEveryTurnOnce(t *testing.T) {
	b := ordered(t, "-scenario plaintext-64 -load own -swap")
	s := b.scenarios[0]
	firsts := map[bool]bool{}
	for range 20 {
		round := b.round(s)
		if len(round) != 2*len(s.peers) {
			t.Fatalf("%d turns, want each of %d peers on both assignments", len(round), len(s.peers))
		}
		changes := 0
		for i, one := range round {
			if slices.Contains(round[:i], one) {
				t.Errorf("%v is measured twice", one)
			}
			if i > 0 && one.swapped != round[i-1].swapped {
				changes++
			}
		}
		if changes != 1 {
			t.Errorf("the assignment changes %d times, want once: %v", changes, round)
		}
		firsts[round[0].swapped] = true
	}
	if len(firsts) != 2 {
		t.Error("one of the assignments is always the first")
	}
}

func TestSwappedRunsExchangeTheProcessors(t *testing.T) {
	b := built(t, "plaintext-64")
	t.Cleanup(func() { _ = proc.Pin(b.serverCPUs + "," + b.clientCPUs) }) // it was possible before
	b.swap, b.calls, b.rounds = true, false, 1
	r := &report{}
	if err := b.scenario(t.Context(), b.scenarios[0], r, newProgress(os.Stderr, 2, 0)); err != nil {
		t.Fatal(err)
	}
	if len(r.Runs) != 2 || r.Runs[0].Swapped == r.Runs[1].Swapped {
		t.Fatalf("%d runs, want one on each assignment", len(r.Runs))
	}
	for _, one := range r.Runs {
		server, client := "taskset -c 1 ", "taskset -c 0 "
		if one.Swapped {
			server, client = client, server
		}
		if !strings.Contains(one.Server, server) || !strings.HasPrefix(one.Client, client) || one.Void != "" {
			t.Errorf("swapped %v: %s, %s: %s", one.Swapped, one.Server, one.Client, one.Void)
		}
	}
}

func TestMixedLoadIsAShareOfThatOfEddy(t *testing.T) {
	b := built(t, "mixed")
	s, r := b.scenarios[0], &report{}
	s.connections = 16
	if err := b.setRate(&s, r); err != nil {
		t.Fatal(err)
	}
	if s.rate <= 0 || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], fmt.Sprintf("all peers get %.0f.", s.rate)) {
		t.Error(s.rate, r.Notes)
	}
	one, err := b.measure(s, turn{peer: "eddy", tool: "load"}, 1)
	if err != nil || one.Void != "" || !strings.Contains(one.Client, fmt.Sprintf("-rate %.0f -rare-path /spin?us=1000", s.rate)) {
		t.Error(err, one.Void, one.Client)
	}
}
