// Scorecard tries the promises of docs/reliability.md, mostly from outside, on
// examples/probe in a separate process.
//
//	cd tests/scorecard && go run .            every row
//	go run . -row 3,5 -json                   some rows
//	go run . -list                            list the rows
//
// It exits with 1 if a row fails, and with 2 if it could not start. Trials that need a
// tool that is not installed are skipped.
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
		list     = flags.Bool("list", false, "list the rows and exit")
		asJSON   = flags.Bool("json", false, "one JSON object for each figure")
		long     = flags.Bool("long", false, "longer trials: 10 million requests in row 22")
		built    = flags.String("probe", "", "path of a probe to try (default: built from examples/probe)")
		verbose  = flags.Bool("v", false, "show the servers' logs of failed rows")
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

// choose returns the rows in a list of numbers, or all rows.
func choose(list string) (rows []row, err error) {
	all := table()
	if list == "" {
		return all, nil
	}
	for _, word := range strings.Split(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		i := slices.IndexFunc(all, func(r row) bool { return r.number == n })
		if err != nil || i < 0 {
			return nil, fmt.Errorf("-row %s: no row %q; -list shows all rows", list, word)
		}
		rows = append(rows, all[i])
	}
	return rows, nil
}

// bench is shared by all trials.
type bench struct {
	root    string // of the repository
	dir     string // for the probe and for sockets
	probe   string // path of the probe's binary
	long    bool
	verbose bool
	margin  time.Duration // added to time limits, for tests on a busy machine
}

// newBench builds the probe, unless built is the path of one.
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

func (b *bench) close() { _ = os.RemoveAll(b.dir) }

func showText(w io.Writer, r row, o outcome) {
	threshold := o.Threshold
	if threshold != "" {
		threshold = "(" + threshold + ")"
	}
	fmt.Fprintf(w, "%2d  %-7s %-25s %s: %s %s\n", r.number, o.verdict, r.name, o.What, o.Figure, threshold)
}

func showJSON(w io.Writer, r row, o outcome) {
	_ = json.NewEncoder(w).Encode(struct { // an error of the output is ignored
		Row     int     `json:"row"`
		Name    string  `json:"name"`
		Verdict verdict `json:"verdict"`
		outcome
	}{r.number, r.name, o.verdict, o})
}
