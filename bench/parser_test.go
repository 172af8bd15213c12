package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/eddynet/eddy/bench/sample"
)

const benchmarkOutput = `goos: linux
cpu: Some CPU @ 2 GHz
BenchmarkParse/small/eddy         	 5000	        43.5 ns/op	 900.1 MB/s	        40.00 bytes	       0 B/op	       0 allocs/op
BenchmarkParse/plaintext/eddy     	 5000	        50.0 ns/op	 900.1 MB/s	        49.00 bytes	       0 B/op	       0 allocs/op
BenchmarkParse/kitty/eddy-2       	 5000	       160 ns/op	 900.1 MB/s	       703.0 bytes	      64 B/op	       2 allocs/op
BenchmarkParse/browser/eddy       	 5000	       300 ns/op	 900.1 MB/s	      1554 bytes	       0 B/op	       0 allocs/op
PASS
`

func TestBenchmarkOutputIsParsed(t *testing.T) {
	parses, err := parseBenchmark(benchmarkOutput)
	if err != nil {
		t.Fatal(err)
	}
	if parses["kitty"] != (sample.Parse{NS: 160, Allocations: 2, Bytes: 703}) || parses["small"].NS != 43.5 {
		t.Errorf("%+v", parses)
	}
	for _, bad := range []string{
		"PASS\n",
		strings.Replace(benchmarkOutput, "browser", "other", 1),
		strings.Replace(benchmarkOutput, "160 ns", "x ns", 1),
	} {
		if _, err := parseBenchmark(bad); err == nil {
			t.Errorf("no error for %s", bad)
		}
	}
}

func TestParserTableComparesEachRequest(t *testing.T) {
	at := func(peer string, round int, ns float64) run {
		parses := map[string]sample.Parse{}
		for i, request := range parserRequests() {
			parses[request] = sample.Parse{NS: ns * float64(i+1), Bytes: 40}
		}
		return run{Scenario: "parser", Peer: peer, Round: round, Tool: "benchmark", Sample: sample.Sample{Parses: parses}}
	}
	r := report{Runs: []run{at("eddy", 1, 50), at("fasthttp", 1, 200), at("eddy", 2, 100), at("fasthttp", 2, 400)}}
	var out strings.Builder
	if err := r.show(&out, markdown); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| small | 40 | eddy | 75 (50–100) | 0.25 |  | 0 |\n",
		"| kitty | 40 | fasthttp | 900 (600–1200) |  |  | 0 |\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// The list must match the files that BenchmarkParse reads.
func TestParserRequestsMatchTheFiles(t *testing.T) {
	files, err := filepath.Glob("../httpparse/testdata/requests/*.http")
	if err != nil || len(files) != len(parserRequests()) {
		t.Error(files, err)
	}
}
