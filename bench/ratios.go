package main

import (
	"fmt"
	"slices"
)

// comparison is the ratio of a peer's first figure to that of another peer, in the same
// round, with the same load generator and on the same processors.
type comparison struct {
	of, to string
	ratio  spread
	worst  float64   // the greatest median of a condition
	in     condition // that condition
}

// condition is a load generator and an assignment of the processors. Each has a median.
type condition struct {
	tool    string
	swapped bool
}

// compare compares two peers. ok is false without common rounds.
func compare(s scenario, rows []row, of, to string) (c comparison, ok bool) {
	figure := columns(s)[0].figure
	c = comparison{of: of, to: to}
	var all []float64
	for _, w := range rows {
		other, found := find(rows, to, w.tool)
		if w.peer != of || w.void != "" || !found || !compared(s, rows, to) {
			continue
		}
		for _, swapped := range []bool{false, true} {
			list := w.on(swapped).ratios(other, figure)
			all = append(all, list...)
			if median := spreadOf(list).median; len(list) > 0 && median > c.worst {
				c.worst, c.in = median, condition{w.tool, swapped}
			}
		}
	}
	c.ratio = spreadOf(all)
	return c, len(all) > 0
}

// subject is the peer that others are compared with: eddy, or the adapter where eddy has no
// row.
func subject(rows []row) string {
	if slices.Contains(peersOf(rows), "eddy") {
		return "eddy"
	}
	return "adapter"
}

// comparisons compares the subject with each other peer. An old build that was
// measured twice is also compared with itself: that is the noise.
func comparisons(s scenario, rows []row) (list []comparison) {
	add := func(of, to string) {
		if c, ok := compare(s, rows, of, to); ok {
			list = append(list, c)
		}
	}
	for _, peer := range peersOf(rows) {
		switch {
		case isOld(peer):
			if first := oldProgram(peer); first != peer {
				add(newest(peer), first)
				add(peer, first)
			}
		case peer != subject(rows):
			add(subject(rows), peer)
		}
	}
	return list
}

func peersOf(rows []row) (peers []string) {
	for _, w := range rows {
		if !slices.Contains(peers, w.peer) {
			peers = append(peers, w.peer)
		}
	}
	return peers
}

// compareEddy is the table of the comparisons, or nil where the scenario's table has all
// of it: one condition and no old build.
func compareEddy(s scenario, rows []row, m machine) table {
	conditions := map[condition]bool{}
	old := false
	for _, w := range rows {
		old = old || isOld(w.peer)
		for _, one := range w.runs {
			conditions[condition{one.Tool, one.Swapped}] = true
		}
	}
	if len(conditions) < 2 && !old {
		return nil
	}
	t := table{{"", "median (range)", "worst median", "with"}}
	for _, c := range comparisons(s, rows) {
		on := m.ServerCPUs
		if c.in.swapped {
			on = m.ClientCPUs
		}
		t = append(t, []string{c.of + " / " + c.to, cell(c.ratio, column{format: "%.2f", ranged: true}),
			fmt.Sprintf("%.2f", c.worst), fmt.Sprintf("%s, server on %s", c.in.tool, on)})
	}
	if len(t) == 1 {
		return nil
	}
	return t
}
