package main

import (
	"bytes"
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
	if len(r.Runs) == 0 {
		t.Error("the report has no runs")
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
	if files, err := os.ReadDir(folder); err != nil || len(files) != 2 {
		t.Error("scenarios that were not measured are plotted:", files, err)
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
