package main

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestReportsAreWrittenAndRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.json")
	want := someReport()
	if err := want.writeFile(file); err != nil {
		t.Fatal(err)
	}
	got, err := readReport(file)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := os.WriteFile(file, []byte("tables"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := readReport(file); err == nil || !strings.Contains(err.Error(), "not a file of -json") {
		t.Error(err)
	}
}

// The results in docs/ are compressed.
func TestDocumentedResultsAreRead(t *testing.T) {
	r, err := readReport("../docs/benchmarks.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := r.show(&out, markdown); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/benchmarks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tables, found := strings.Cut(out.String(), "\n### ")
	if !found || !strings.HasSuffix(string(page), "\n### "+tables) {
		t.Error("docs/benchmarks.md does not end with the tables of these results")
	}
}

func TestPlots(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "plots")
	if err := someReport().plot(folder); err != nil {
		t.Fatal(err)
	}
	drawn, err := os.ReadFile(filepath.Join(folder, "plaintext-64.png"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(drawn)); err != nil {
		t.Error(err)
	}
	drawn, err = os.ReadFile(filepath.Join(folder, "plaintext-64.svg"))
	if err != nil || !strings.Contains(string(drawn), "eddy") {
		t.Error("the SVG does not name eddy", err)
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 4 { // with overview
		t.Error("scenarios that were not measured are plotted:", files, err)
	}
}

func TestBarsAreSortedAndLabelled(t *testing.T) {
	s := plaintext64(t)
	rows := append(someReport().rows(s), row{label: "gnet", peer: "gnet", tool: "load", runs: []run{sampleRun("gnet", 1, 8), sampleRun("gnet", 2, 16)}})
	c := chartOf(s, rows)
	var got []string
	for _, b := range c.bars {
		got = append(got, b.name+" "+b.text)
		if b.ours != (b.name == "eddy") {
			t.Errorf("%s has the wrong colour", b.name)
		}
	}
	if want := "gnet 12.00, floor 20.00, eddy 24.00"; strings.Join(got, ", ") != want {
		t.Errorf("%v, want %s", got, want)
	}
	c, got = ratioChart(s, rows), nil
	for _, b := range c.bars {
		got = append(got, fmt.Sprintf("%s %s, goal %v", b.name, b.text, b.goal))
	}
	if want := "floor 1.10, goal 1.08; gnet 1.44, goal 1"; strings.Join(got, "; ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}

func TestProcessorName(t *testing.T) {
	if got := processorName("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n"); got != "Some CPU @ 2 GHz" {
		t.Error(got)
	}
	if got := processorName(""); got != "unknown processor" {
		t.Error(got)
	}
}
