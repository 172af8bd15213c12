// Scorecard tries what docs/reliability.md promises, mostly from outside, on
// examples/probe in a process of its own.
//
//	cd tests/scorecard && go run .            every row
//	go run . -row 3,5 -json                   some of them
//	go run . -list                            what there is
//
// It exits 1 if a row fails, and 2 if it could not start. What needs a tool that is
// not installed is skipped.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == childCommand {
		os.Exit(runChild(os.Args[2], os.Args[3:]))
	}
	failed, err := run(os.Args[1:])
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "scorecard:", err)
		os.Exit(2)
	case failed:
		os.Exit(1)
	}
}

func run(args []string) (failed bool, err error) {
	var (
		flags    = flag.NewFlagSet("scorecard", flag.ExitOnError)
		selected = flags.String("row", "", "numbers of the rows to try, such as 3,5 (default all)")
		list     = flags.Bool("list", false, "list the rows and end")
		asJSON   = flags.Bool("json", false, "one JSON object for each figure")
		long     = flags.Bool("long", false, "more of what takes long: 10 million requests in row 22")
		built    = flags.String("probe", "", "path of a probe to try (default: built from examples/probe)")
		verbose  = flags.Bool("v", false, "show what the servers have logged where a row fails")
	)
	if err := flags.Parse(args); err != nil {
		return false, err
	}
	rows, err := choose(*selected)
	if err != nil {
		return false, err
	}
	if *list {
		for _, r := range rows {
			fmt.Printf("%2d  %-25s %s\n", r.number, r.name, r.promise)
		}
		return false, nil
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	bench, err := newBench(ctx, *built)
	if err != nil {
		return false, err
	}
	defer bench.close()
	bench.long, bench.verbose = *long, *verbose

	show := showText
	if *asJSON {
		show = showJSON
	}
	var tally [4]int
	for _, r := range rows {
		for _, o := range bench.try(ctx, r) {
			tally[o.verdict]++
			show(os.Stdout, r, o)
		}
	}
	fmt.Fprintf(os.Stderr, "%d passed, %d failed, %d skipped\n", tally[passed], tally[fails], tally[skipped])
	return tally[fails] > 0, ctx.Err()
}

// choose returns the rows of a list of numbers, all without one.
func choose(list string) (rows []row, err error) {
	all := table()
	if list == "" {
		return all, nil
	}
	for _, word := range strings.Split(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		i := slices.IndexFunc(all, func(r row) bool { return r.number == n })
		if err != nil || i < 0 {
			return nil, fmt.Errorf("-row %s: there is no row %q; -list shows them", list, word)
		}
		rows = append(rows, all[i])
	}
	return rows, nil
}

// bench is what all trials share.
type bench struct {
	root    string // of the repository
	dir     string // for what is built, and for sockets
	probe   string // the probe's binary
	long    bool
	verbose bool
	margin  time.Duration // added to bounds of time, for tests beside other work
}

// newBench builds the probe, unless the path of one is given.
func newBench(ctx context.Context, built string) (*bench, error) {
	gomod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOMOD: %w", err)
	}
	module := filepath.Dir(strings.TrimSpace(string(gomod)))
	root := filepath.Join(module, "..", "..")
	if _, err := os.Stat(filepath.Join(root, "examples", "probe")); err != nil {
		return nil, fmt.Errorf("run it in tests/scorecard of a clone: %w", err)
	}
	dir, err := os.MkdirTemp("", "scorecard-")
	if err != nil {
		return nil, err
	}
	if built != "" {
		built, err = filepath.Abs(built)
		return &bench{root: root, dir: dir, probe: built}, err
	}
	b := &bench{root: root, dir: dir, probe: filepath.Join(dir, "probe")}
	build := exec.CommandContext(ctx, "go", "build", "-o", b.probe, ".")
	build.Dir = filepath.Join(root, "examples", "probe")
	if out, err := build.CombinedOutput(); err != nil {
		b.close()
		return nil, fmt.Errorf("build the probe: %w\n%s", err, out)
	}
	return b, nil
}

func (b *bench) close() { _ = os.RemoveAll(b.dir) } // it is below the system's own

func showText(w io.Writer, r row, o outcome) {
	threshold := o.Threshold
	if threshold != "" {
		threshold = "(" + threshold + ")"
	}
	fmt.Fprintf(w, "%2d  %-7s %-25s %s: %s %s\n", r.number, o.verdict, r.name, o.What, o.Figure, threshold)
}

func showJSON(w io.Writer, r row, o outcome) {
	_ = json.NewEncoder(w).Encode(struct { // to a terminal or a pipe, whose end shows itself
		Row     int     `json:"row"`
		Name    string  `json:"name"`
		Verdict verdict `json:"verdict"`
		outcome
	}{r.number, r.name, o.verdict, o})
}
