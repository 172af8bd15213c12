package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/eddynet/eddy/bench/proc"
	"golang.org/x/sys/unix"
)

// report is a complete measurement, as written by -json.
type report struct {
	Started  time.Time         `json:"started"`
	Command  string            `json:"command"`
	Machine  machine           `json:"machine"`
	Versions map[string]string `json:"versions"` // by peer
	Procs    int               `json:"gomaxprocs"`
	Rounds   int               `json:"rounds"`
	Duration time.Duration     `json:"duration_ns"`
	Seed     int64             `json:"seed,omitempty"` // of the order in each round; files before it have a fixed order
	Before   *look             `json:"look_before,omitempty"`
	After    *look             `json:"look_after,omitempty"`
	Notes    []string          `json:"notes,omitempty"`
	Runs     []run             `json:"runs"`
}

type machine struct {
	Kernel     string `json:"kernel"`
	Processor  string `json:"processor"`
	Processors int    `json:"processors"`
	Go         string `json:"go"`
	ServerCPUs string `json:"server_cpus"`
	ClientCPUs string `json:"client_cpus"`
}

func newReport(c config, versions map[string]string, args []string) (*report, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return nil, err
	}
	cpus, err := proc.Processors(c.serverCPUs)
	if err != nil {
		return nil, err
	}
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return nil, err
	}
	return &report{
		Started: time.Now().UTC().Truncate(time.Second),
		Command: strings.Join(append([]string{"go run ."}, args...), " "),
		Machine: machine{
			Kernel:     unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:]),
			Processor:  processorName(string(info)),
			Processors: runtime.NumCPU(),
			Go:         runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
			ServerCPUs: c.serverCPUs,
			ClientCPUs: c.clientCPUs,
		},
		Versions: versions,
		Procs:    len(cpus),
		Rounds:   c.rounds,
		Duration: c.duration,
		Seed:     c.seed,
	}, nil
}

// conditions are sentences about the order and the machine, as far as the file has them.
func (r *report) conditions() (list []string) {
	if r.Seed != 0 {
		list = append(list, fmt.Sprintf("Random order in each round, -seed %d.", r.Seed))
	}
	for _, at := range []struct {
		when string
		look *look
	}{{"before", r.Before}, {"after", r.After}} {
		if at.look == nil {
			continue
		}
		line := fmt.Sprintf("The machine %s the measurement: %v.", at.when, at.look)
		if noise := at.look.noise(); noise != "" {
			line += " It was NOISY: " + noise + "."
		}
		list = append(list, line)
	}
	return list
}

// processorName finds the processor's name in /proc/cpuinfo.
func processorName(info string) string {
	for line := range strings.Lines(info) {
		if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

func (r *report) note(text string) { r.Notes = append(r.Notes, text) }

func (r *report) writeFile(name string) error {
	raw, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(raw, '\n'), 0o666)
}

// readReport reads a file of writeFile, which may be compressed with gzip.
func readReport(name string) (*report, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	r := &report{}
	if err := json.NewDecoder(in).Decode(r); err != nil {
		return nil, fmt.Errorf("%s is not a file of -json: %w", name, err)
	}
	return r, nil
}

// show writes the conditions of the measurement and a table for each scenario.
func (r *report) show(out io.Writer, write func(io.Writer, table) error) error {
	var versions []string
	for _, peer := range slices.Sorted(maps.Keys(r.Versions)) {
		versions = append(versions, peer+" "+r.Versions[peer])
	}
	m := r.Machine
	_, err := fmt.Fprintf(out, "Measured %s: %s, %d processors, %s, %s. Servers on processor %s with GOMAXPROCS=%d, load on %s. "+
		"%d rounds of %v.\n\nVersions: %s.\n\nCommand: `%s`\n",
		r.Started.Format(time.DateOnly), m.Processor, m.Processors, m.Kernel, m.Go, m.ServerCPUs, r.Procs, m.ClientCPUs,
		r.Rounds, r.Duration, strings.Join(versions, ", "), r.Command)
	if err != nil {
		return err
	}
	for _, note := range append(r.conditions(), r.Notes...) {
		fmt.Fprintf(out, "\n%s\n", note)
	}
	for _, s := range scenarios() {
		rows := r.rows(s)
		if len(rows) == 0 {
			continue
		}
		if _, err := fmt.Fprintf(out, "\n### %s: %s\n\n", s.Name, s.About); err != nil {
			return err
		}
		if err := write(out, tableOf(s, rows)); err != nil {
			return err
		}
		if t := compareTools(s, rows); t != nil {
			if _, err := fmt.Fprintf(out, "\nwrk compared with our own load generator (%s):\n\n", s.Name); err != nil {
				return err
			}
			if err := write(out, t); err != nil {
				return err
			}
		}
		if t := compareEddy(s, rows, r.Machine); t != nil {
			if _, err := fmt.Fprintf(out, "\n%s, divided by that of another peer in the same round (%s):\n\n", columns(s)[0].head, s.Name); err != nil {
				return err
			}
			if err := write(out, t); err != nil {
				return err
			}
		}
		for _, row := range rows {
			if row.void != "" {
				fmt.Fprintf(out, "\n%s is void: %s\n", row.label, row.void)
			}
			if row.uncounted != "" {
				fmt.Fprintf(out, "\nSystem calls of %s were not counted: %s\n", row.label, row.uncounted)
			}
		}
	}
	return nil
}
