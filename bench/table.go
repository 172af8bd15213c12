package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/eddynet/eddy/bench/sample"
)

// table is lines of cells. The first line is the head.
type table [][]string

// column is a figure of a table.
type column struct {
	head   string
	figure func(sample.Sample) float64
	format string
	ranged bool // with the range after the median
	known  bool // zero means not measured: wrk lacks some latencies of pipelined requests
}

func perRequest(s sample.Sample) float64 { return float64(s.PerRequest()) / 1e3 }

func micros(of func(sample.Sample) time.Duration) func(sample.Sample) float64 {
	return func(s sample.Sample) float64 { return float64(of(s)) / 1e3 }
}

func millis(of func(sample.Sample) time.Duration) func(sample.Sample) float64 {
	return func(s sample.Sample) float64 { return float64(of(s)) / 1e6 }
}

func megabytes(of func(sample.Sample) int64) func(sample.Sample) float64 {
	return func(s sample.Sample) float64 { return float64(of(s)) / 1e6 }
}

func rss(s sample.Sample) int64 { return s.RSS }

// columns are the figures of a scenario. Ratios refer to the first one.
func columns(s scenario) []column {
	switch {
	case s.idle():
		each := func(of func(sample.Sample) int64) func(sample.Sample) float64 {
			return func(m sample.Sample) float64 { return float64(of(m)-m.Base) / float64(s.holders) }
		}
		return []column{
			{"bytes per connection", each(func(m sample.Sample) int64 { return m.Idle }), "%.0f", true, false},
			{"before free memory is given back", each(rss), "%.0f", true, false},
			{"RSS before, MB", megabytes(func(m sample.Sample) int64 { return m.Base }), "%.1f", false, false},
		}
	case s.protocol == "parser":
		return []column{{"ns, request of 703 bytes", parserTime(headline), "%.0f", true, false}}
	case s.protocol == "comet":
		return []column{
			{"together, ms", millis(func(m sample.Sample) time.Duration { return m.Elapsed }), "%.0f", true, false},
			{"notify, last answer, ms", millis(func(m sample.Sample) time.Duration { return m.Max }), "%.0f", true, false},
			{"server CPU, ms", millis(func(m sample.Sample) time.Duration { return m.CPU }), "%.0f", true, false},
			{"RSS while all wait, MB", megabytes(rss), "%.1f", true, false},
		}
	}
	return requestColumns()
}

// requestColumns are the figures of scenarios that measure requests.
func requestColumns() []column {
	return []column{
		{"CPU µs", perRequest, "%.2f", true, false},
		{"requests/s", sample.Sample.Rate, "%.0f", true, false},
		{"p50 µs", micros(func(m sample.Sample) time.Duration { return m.P50 }), "%.0f", false, true},
		{"p99 µs", micros(func(m sample.Sample) time.Duration { return m.P99 }), "%.0f", false, true},
		{"p99.9 µs", micros(func(m sample.Sample) time.Duration { return m.P999 }), "%.0f", false, true},
		{"RSS MB", megabytes(rss), "%.1f", false, false},
	}
}

// references are the peers that others are compared with.
func references() []string { return []string{"floor", "nethttp", "gnet"} }

// tableOf lays out the rows of a scenario.
func tableOf(s scenario, rows []row) table {
	if s.protocol == "parser" {
		return parserTable(rows)
	}
	all := columns(s)
	head := []string{"", all[0].head}
	for _, peer := range references() {
		if compared(s, rows, peer) {
			head = append(head, "× "+peer)
		}
	}
	for _, c := range all[1:] {
		head = append(head, c.head)
	}
	if s.asks() {
		head = append(head, "allocations")
	}
	if !s.uncounted {
		head = append(head, "calls")
	}
	t := table{head}
	for _, w := range rows {
		if w.void != "" {
			line := append([]string{w.label, "void"}, make([]string, len(head)-2)...)
			t = append(t, line)
			continue
		}
		line := []string{w.label, cell(w.over(all[0].figure), all[0])}
		for _, peer := range references() {
			if compared(s, rows, peer) {
				line = append(line, ratioCell(w, rows, peer, all[0].figure))
			}
		}
		for _, c := range all[1:] {
			line = append(line, cell(w.over(c.figure), c))
		}
		if s.asks() {
			line = append(line, allocations(s, w))
		}
		if !s.uncounted {
			line = append(line, callsCell(w))
		}
		t = append(t, line)
	}
	return t
}

// compared reports whether a peer has a row to compare others with.
func compared(s scenario, rows []row, peer string) bool {
	for _, w := range rows {
		if w.peer == peer && w.void == "" {
			return !s.idle() || peer != "floor" // the floor needs no memory for a connection
		}
	}
	return false
}

func cell(s spread, c column) string {
	if c.known && s.median == 0 {
		return ""
	}
	median := fmt.Sprintf(c.format, s.median)
	if !c.ranged || s.least == s.most {
		return median
	}
	return median + " (" + fmt.Sprintf(c.format, s.least) + "–" + fmt.Sprintf(c.format, s.most) + ")"
}

func ratioCell(w row, rows []row, peer string, figure func(sample.Sample) float64) string {
	to, found := find(rows, peer, w.tool)
	if !found || w.peer == peer {
		return ""
	}
	s, ok := w.ratio(to, figure)
	if !ok {
		return ""
	}
	return cell(s, column{format: "%.2f", ranged: true})
}

func allocations(s scenario, w row) string {
	if !reportsCounts(s, w.peer) {
		return ""
	}
	return fmt.Sprintf("%.2f", w.over(func(m sample.Sample) float64 { return m.Allocations }).median)
}

func callsCell(w row) string {
	if w.calls == nil {
		return ""
	}
	return fmt.Sprintf("%.2f", served(w.calls))
}

// text writes a table in columns.
func text(out io.Writer, t table) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, line := range t {
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	return w.Flush()
}

// markdown writes a table in Markdown.
func markdown(out io.Writer, t table) error {
	for i, line := range t {
		if _, err := fmt.Fprintf(out, "| %s |\n", strings.Join(line, " | ")); err != nil {
			return err
		}
		if i == 0 {
			fmt.Fprintf(out, "|%s\n", strings.Repeat("---|", len(line)))
		}
	}
	return nil
}
