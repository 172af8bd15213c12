package main

import (
	"maps"
	"slices"

	"github.com/eddynet/eddy/bench/sample"
)

// row is a peer in the table of a scenario: its runs, one for each round.
type row struct {
	label string // the peer, and the tool if there are several
	peer  string
	tool  string
	runs  []run
	calls map[string]float64 // per request; nil: not counted
	void  string             // the reason if one of the runs is void

	uncounted string // the reason if counting calls failed
}

// rows gathers the runs of a scenario, in the order of its peers.
func (r *report) rows(s scenario) (rows []row) {
	tools := map[string]bool{}
	for _, one := range r.Runs {
		if one.Scenario == s.Name && one.Tool != "strace" {
			tools[one.Tool] = true
		}
	}
	for _, peer := range r.peers(s) {
		for _, tool := range slices.Backward(slices.Sorted(maps.Keys(tools))) {
			w := row{label: peer, peer: peer, tool: tool}
			if len(tools) > 1 {
				w.label += " (" + tool + ")"
			}
			for _, one := range r.Runs {
				if one.Scenario != s.Name || one.Peer != peer {
					continue
				}
				switch one.Tool {
				case tool:
					w.runs = append(w.runs, one)
					if w.void == "" {
						w.void = one.Void
					}
				case "strace":
					w.calls, w.uncounted = one.Sample.Calls, one.Void
				}
			}
			if len(w.runs) > 0 {
				rows = append(rows, w)
			}
		}
	}
	return rows
}

// peers are those of a scenario, then others that were measured: the old ones of -against.
func (r *report) peers(s scenario) []string {
	peers := slices.Clone(s.peers)
	var others []string
	for _, one := range r.Runs {
		if one.Scenario == s.Name && !slices.Contains(peers, one.Peer) && !slices.Contains(others, one.Peer) {
			others = append(others, one.Peer)
		}
	}
	slices.Sort(others)
	return append(peers, others...)
}

// spread is the median of some values, and their range.
type spread struct{ median, least, most float64 }

func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return spread{(sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[0], sorted[n-1]}
}

// over returns the spread of a figure over the rounds.
func (w row) over(figure func(sample.Sample) float64) spread {
	var values []float64
	for _, one := range w.runs {
		values = append(values, figure(one.Sample))
	}
	return spreadOf(values)
}

// ratios returns the ratios of a figure to that of another row, each within one round and
// on the same processors.
func (w row) ratios(to row, figure func(sample.Sample) float64) (list []float64) {
	for _, one := range w.runs {
		for _, other := range to.runs {
			if other.Round == one.Round && other.Swapped == one.Swapped && figure(other.Sample) != 0 {
				list = append(list, figure(one.Sample)/figure(other.Sample))
			}
		}
	}
	return list
}

// ratio returns the spread of the ratios. ok is false without common rounds.
func (w row) ratio(to row, figure func(sample.Sample) float64) (s spread, ok bool) {
	list := w.ratios(to, figure)
	return spreadOf(list), len(list) > 0
}

// on returns the row with the runs of one assignment of the processors.
func (w row) on(swapped bool) row {
	w.runs = slices.DeleteFunc(slices.Clone(w.runs), func(one run) bool { return one.Swapped != swapped })
	return w
}

// find returns the row of a peer and a tool that is not void.
func find(rows []row, peer, tool string) (row, bool) {
	i := slices.IndexFunc(rows, func(w row) bool { return w.peer == peer && w.tool == tool && w.void == "" })
	if i < 0 {
		return row{}, false
	}
	return rows[i], true
}
