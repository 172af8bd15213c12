package main

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/eddynet/eddy/bench/proc"
)

// config holds the flags.
type config struct {
	scenarios  []scenario
	rounds     int
	duration   time.Duration
	tool       string // auto, wrk, own, both
	serverCPUs string
	clientCPUs string
	calls      bool
	swap       bool
	seed       int64
	strict     bool
	against    string // a commit
	list       bool

	jsonFile     string
	markdownFile string
	plotFolder   string
	from         string
}

func parseConfig(args []string, usage io.Writer) (c config, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(usage)
	names := f.String("scenario", "", "scenarios, separated by commas; empty: all")
	peers := f.String("peer", "", "peers, separated by commas; empty: all")
	quick := f.Bool("quick", false, "two minutes: few scenarios and peers, two rounds of a second, no system calls counted, unless set by other flags")
	f.IntVar(&c.rounds, "rounds", 5, "rounds; each measures every peer once")
	f.DurationVar(&c.duration, "duration", 2*time.Second, "measured time of a run; half of it in minor scenarios")
	f.StringVar(&c.tool, "load", "auto", "load generator: wrk, own, both, or auto: wrk if it is installed and supports the scenario")
	f.StringVar(&c.serverCPUs, "server-cpus", "1", "processors of the server, as for taskset; GOMAXPROCS is their number")
	f.StringVar(&c.clientCPUs, "client-cpus", "0", "processors of the load generator")
	f.BoolVar(&c.calls, "calls", true, "count system calls, in separate runs with strace")
	f.BoolVar(&c.swap, "swap", false, "measure every peer in each round on both assignments of the processors")
	f.Int64Var(&c.seed, "seed", 0, "of the random order of the peers; 0: a new one")
	f.BoolVar(&c.strict, "strict", false, "a noisy machine is an error, not a warning")
	f.StringVar(&c.against, "against", "", "measure eddy and adapter beside their builds of this commit, twice in each round; others with -peer")
	f.BoolVar(&c.list, "list", false, "list the scenarios and their peers, then exit")
	f.StringVar(&c.jsonFile, "json", "", "file for the raw results")
	f.StringVar(&c.markdownFile, "markdown", "", "file for the tables in Markdown; - for standard output")
	f.StringVar(&c.plotFolder, "plot", "", "folder for plots of the tables, SVG and PNG")
	f.StringVar(&c.from, "from", "", "make tables and plots of this file, written by -json (.gz: compressed), without measuring")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if f.NArg() > 0 {
		return c, fmt.Errorf("%q is not a flag: select scenarios with -scenario", f.Arg(0))
	}
	if err := c.selectScenarios(f, *quick, *names, *peers); err != nil {
		return c, err
	}
	if c.seed == 0 {
		c.seed = 1 + int64(rand.Uint32())
	}
	return c, c.check()
}

// selectScenarios sets the scenarios and their peers, and the flags that -quick changes unless they
// are given.
func (c *config) selectScenarios(f *flag.FlagSet, quick bool, names, peers string) error {
	if c.against != "" && peers == "" {
		peers = "eddy,adapter"
	}
	list := scenarios()
	if quick {
		given := map[string]bool{}
		f.Visit(func(f *flag.Flag) { given[f.Name] = true })
		if !given["rounds"] {
			c.rounds = 2
		}
		if !given["duration"] {
			c.duration = time.Second
		}
		if !given["calls"] {
			c.calls = false
		}
		if !given["scenario"] {
			list = slices.DeleteFunc(list, func(s scenario) bool { return !s.quick })
			if peers == "" {
				peers = strings.Join(append(core(), "adapter"), ",")
			}
		}
	}
	var err error
	if c.scenarios, err = choose(list, names, peers); err != nil {
		return err
	}
	if c.against != "" {
		if c.scenarios = withOld(c.scenarios); len(c.scenarios) == 0 {
			return fmt.Errorf("-against: no scenario is left with eddy or adapter")
		}
	}
	return nil
}

func (c config) check() error {
	switch {
	case c.rounds < 1:
		return fmt.Errorf("-rounds %d: must be at least 1", c.rounds)
	case c.duration < 10*time.Millisecond:
		return fmt.Errorf("-duration %v: must be at least 10ms", c.duration)
	case !slices.Contains([]string{"auto", "wrk", "own", "both"}, c.tool):
		return fmt.Errorf("-load %s: must be auto, wrk, own or both", c.tool)
	case c.from != "" && c.jsonFile != "":
		return fmt.Errorf("-from does not measure: there is nothing to write for -json")
	case c.from != "" && (c.against != "" || c.swap):
		return fmt.Errorf("-from does not measure: -against and -swap have no effect")
	}
	server, err := proc.Processors(c.serverCPUs)
	if err != nil {
		return fmt.Errorf("-server-cpus: %w", err)
	}
	client, err := proc.Processors(c.clientCPUs)
	if err != nil {
		return fmt.Errorf("-client-cpus: %w", err)
	}
	for _, cpu := range client {
		if slices.Contains(server, cpu) {
			return fmt.Errorf("processor %d is in -server-cpus and in -client-cpus: server and load would disturb each other", cpu)
		}
	}
	if c.swap && len(server) != len(client) {
		return fmt.Errorf("-swap: -server-cpus and -client-cpus must be as many, since GOMAXPROCS is their number")
	}
	return nil
}

// cpus are the processors of server and load.
func (c config) cpus() []int {
	cpus, err := proc.Processors(c.serverCPUs + "," + c.clientCPUs)
	if err != nil {
		panic(err) // both were checked
	}
	return cpus
}

// checkMachine returns an error if the machine lacks a requirement.
func (c config) checkMachine() error {
	if runtime.NumCPU() < 2 {
		return fmt.Errorf("one processor is not enough: server and load need one each")
	}
	if !have("taskset") {
		return fmt.Errorf("taskset is missing: install util-linux")
	}
	if (c.tool == "wrk" || c.tool == "both") && !have("wrk") {
		return fmt.Errorf("-load %s: wrk is not installed", c.tool)
	}
	return nil
}

// tools returns the load generators for a scenario.
func (c config) tools(s scenario) []string {
	switch {
	case s.protocol == "parser":
		return []string{"benchmark"}
	case !s.wrk || c.tool == "own" || c.tool == "auto" && !have("wrk"):
		return []string{"load"}
	case c.tool == "both":
		return []string{"wrk", "load"}
	}
	return []string{"wrk"}
}
