package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/eddynet/eddy/bench/sample"
)

// parsing is the benchmark time for each request.
const parsing = 200 * time.Millisecond

// headline is the request that other parsers publish figures for.
const headline = "kitty"

// parserRequests are the requests in httpparse/testdata/requests, in the order of
// their sizes.
func parserRequests() []string { return []string{"small", "plaintext", headline, "browser"} }

// parse runs the benchmark of one peer's parser: see parse_test.go.
func (b *bench) parse(r *run, peer string) error {
	cmd := exec.Command("taskset", "-c", b.serverCPUs, b.programs.path("parse.test"), "-test.run", "^$",
		"-test.bench", "^BenchmarkParse$/.*/^"+peer+"$", "-test.benchtime", parsing.String())
	cmd.Env = append(cmd.Environ(), "GOMAXPROCS=1")
	r.Server = strings.Join(cmd.Args, " ")
	out, err := cmd.CombinedOutput()
	r.Output = string(out)
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", r.Server, err, out)
	}
	if r.Sample.Parses, err = parseBenchmark(r.Output); err != nil {
		return fmt.Errorf("%s: %w", r.Server, err)
	}
	return nil
}

// parseBenchmark reads the lines of BenchmarkParse.
func parseBenchmark(out string) (map[string]sample.Parse, error) {
	parses := map[string]sample.Parse{}
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 2 || !strings.HasPrefix(fields[0], "BenchmarkParse/") {
			continue
		}
		values := map[string]float64{} // by unit
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("benchmark output: %w: %s", err, line)
			}
			values[fields[i+1]] = value
		}
		request, _, _ := strings.Cut(strings.TrimPrefix(fields[0], "BenchmarkParse/"), "/")
		parses[request] = sample.Parse{NS: values["ns/op"], Allocations: values["allocs/op"], Bytes: int(values["bytes"])}
	}
	for _, request := range parserRequests() {
		if parses[request].NS == 0 {
			return nil, fmt.Errorf("no time for the request %s in %.300q", request, out)
		}
	}
	return parses, nil
}

// parserTime is the figure of one request.
func parserTime(request string) func(sample.Sample) float64 {
	return func(s sample.Sample) float64 { return s.Parses[request].NS }
}

// parserTable has a line for each request and parser.
func parserTable(rows []row) table {
	t := table{{"request", "bytes", "parser", "ns", "× fasthttp", "× nethttp", "allocations"}}
	for _, request := range parserRequests() {
		took := parserTime(request)
		for _, w := range rows {
			if w.void != "" {
				continue
			}
			one := w.runs[0].Sample.Parses[request] // equal in all rounds, except for NS
			t = append(t, []string{request, strconv.Itoa(one.Bytes), w.label, cell(w.over(took), column{format: "%.0f", ranged: true}),
				ratioCell(w, rows, "fasthttp", took), ratioCell(w, rows, "nethttp", took), fmt.Sprintf("%.0f", one.Allocations)})
		}
	}
	return t
}
