package main

import (
	"strings"
	"testing"
)

func TestGeneratorsAreCompared(t *testing.T) {
	r := someReport()
	if s := plaintext64(t); compareTools(s, r.rows(s)) != nil {
		t.Error("a comparison with only one generator")
	}
	for _, one := range r.Runs[:6] {
		one.Tool = "wrk"
		one.Sample.CPU *= 2
		one.Sample.P50 = 0
		r.Runs = append(r.Runs, one)
	}
	var out strings.Builder
	if err := r.show(&out, markdown); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"|  | CPU µs, wrk | our own | × wrk | requests/s, wrk | our own | × wrk | p50 µs, wrk |",
		"\n| floor | 40.00 (20.00–60.00) | 20.00 (10.00–30.00) | 0.50 | 1000 | 1000 | 1.00 |  | 1000 |  |",
		"\n| eddy | 48.00 (22.00–60.00) |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
