package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress shows the progress of the measurement: on a terminal in one line that is
// overwritten, otherwise one line per run.
type progress struct {
	out      io.Writer
	terminal bool
	start    time.Time
	planned  time.Duration // of all runs
	passed   time.Duration // planned time of the completed runs
	done     int
	all      int
}

func newProgress(out *os.File, all int, planned time.Duration) *progress {
	info, err := out.Stat()
	return &progress{
		out:      out,
		terminal: err == nil && info.Mode()&os.ModeCharDevice != 0,
		start:    time.Now(),
		planned:  planned,
		all:      all,
	}
}

// show reports a completed run and its planned time.
func (p *progress) show(s scenario, r run, planned time.Duration, now time.Time) {
	p.done++
	p.passed += planned
	left := time.Duration(0)
	if p.passed > 0 {
		left = time.Duration(float64(now.Sub(p.start)) * float64(p.planned-p.passed) / float64(p.passed))
	}
	line := fmt.Sprintf("%4d/%d  %-22s round %d  %-8s %-6s %s, %v left",
		p.done, p.all, r.Scenario, r.Round, r.Peer, r.Tool, outcome(s, r), left.Round(time.Second))
	switch {
	case !p.terminal:
		fmt.Fprintln(p.out, line)
	case p.done == p.all:
		fmt.Fprintf(p.out, "\r\x1b[K%s\n", line)
	default:
		fmt.Fprintf(p.out, "\r\x1b[K%.160s", line)
	}
}

// outcome summarizes a run.
func outcome(s scenario, r run) string {
	first := columns(s)[0]
	switch {
	case r.Void != "":
		return "void: " + r.Void
	case r.Tool == "strace":
		return fmt.Sprintf("%.2f calls", served(r.Sample.Calls))
	}
	return fmt.Sprintf(first.format+" %s", first.figure(r.Sample), first.head)
}
