package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// documented reads the rows of docs/reliability.md, with the tests that they name.
func documented(t *testing.T) (rows []row, named []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 7 {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(cells[1]))
		if err != nil {
			continue // a heading
		}
		rows = append(rows, row{number: n, name: strings.TrimSpace(cells[2]), promise: strings.TrimSpace(cells[3])})
		named = append(named, regexp.MustCompile(`Test\w+`).FindAllString(cells[5], -1)...)
	}
	return rows, named
}

func TestTableAgreesWithTheDocumentation(t *testing.T) {
	have := table()
	rows, _ := documented(t)
	if len(rows) != len(have) {
		t.Errorf("%d rows in docs/reliability.md, %d in table.go", len(rows), len(have))
	}
	for i, r := range have[:min(len(have), len(rows))] {
		if d := rows[i]; d.number != r.number || d.name != r.name || d.promise != r.promise {
			t.Errorf("table.go has\n%d %s: %s\ndocs/reliability.md\n%d %s: %s", r.number, r.name, r.promise, d.number, d.name, d.promise)
		}
		if r.number != i+1 || len(r.trials) == 0 || r.limit <= 0 {
			t.Errorf("row %d of table.go has number %d, %d trials and the limit %v", i+1, r.number, len(r.trials), r.limit)
		}
	}
}

func TestNamedTestsExist(t *testing.T) {
	defined := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range function.FindAllSubmatch(text, -1) {
			defined[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, named := documented(t)
	if len(named) == 0 {
		t.Fatal("docs/reliability.md names no tests")
	}
	for _, name := range named {
		if !defined[name] {
			t.Errorf("docs/reliability.md names %s, which does not exist", name)
		}
	}
}

func TestRowsAreChosenByNumber(t *testing.T) {
	rows, err := choose("5, 3")
	if err != nil || len(rows) != 2 || rows[0].number != 5 || rows[1].number != 3 {
		t.Errorf("got %v, %v", rows, err)
	}
	for _, list := range []string{"0", "3,", "three", "1000"} {
		if _, err := choose(list); err == nil {
			t.Errorf("-row %s: no error", list)
		}
	}
}

// newTestBench builds the probe once for a test.
func newTestBench(t *testing.T) *bench {
	t.Helper()
	b, err := newBench(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	b.margin = 10 * time.Second // for slow machines
	return b
}

// Short trials run with the tests.
func TestQuickRowsPass(t *testing.T) {
	b := newTestBench(t)
	quick := row{limit: time.Minute, trials: trials{
		hugeNumbers, expensiveChunks, smuggled, socketFiles, closingClients, closingNetHTTPClients, stuckDrain, panicsInTheLoad, unreadEnd,
	}}
	outcomes := b.try(t.Context(), quick)
	if len(outcomes) < 20 {
		t.Errorf("only %d figures", len(outcomes))
	}
	for _, o := range outcomes {
		if o.verdict == fails {
			t.Errorf("%s: %s, want %s", o.What, o.Figure, o.Threshold)
		}
	}
}

func TestBrokenPromisesFail(t *testing.T) {
	b := newTestBench(t)
	for name, f := range map[string]func(*trial) error{
		"too much":          func(t *trial) error { atMost(t, "", 2*miB, miB); return nil },
		"too little":        func(t *trial) error { atLeast(t, "", 1, 2); return nil },
		"unequal":           func(t *trial) error { equal(t, "", "a", "b"); return nil },
		"too early":         func(t *trial) error { within(t, "", time.Second, 2*time.Second, time.Minute); return nil },
		"too late":          func(t *trial) error { within(t, "", time.Hour, 2*time.Second, time.Minute); return nil },
		"an error":          func(*trial) error { return errors.New("no") },
		"no such test":      tests("./loop", "TestThatDoesNotExist"),
		"a probe that ends": func(t *trial) error { _, err := t.start("-loops", "-1"); return err },
		"a limit of time":   func(t *trial) error { return t.pause(time.Minute) },
	} {
		outcomes := b.try(t.Context(), row{limit: 2 * time.Second, trials: trials{f}})
		if !slices.ContainsFunc(outcomes, func(o outcome) bool { return o.verdict == fails }) {
			t.Errorf("%s: no failure in %v", name, outcomes)
		}
	}
}

func TestMissingToolsAreSkipped(t *testing.T) {
	b := &bench{}
	t.Setenv("PATH", t.TempDir())
	r := row{limit: time.Second, trials: trials{failing("accept4", "EMFILE"), callErrors, fewDescriptors("descriptors"), slowAnswers, slowHTTP("heads", "-H", "/"), clockBeyond(31)}}
	outcomes := b.try(t.Context(), r)
	if len(outcomes) != len(r.trials) {
		t.Errorf("%d outcomes of %d trials: %v", len(outcomes), len(r.trials), outcomes)
	}
	for _, o := range outcomes {
		if o.verdict != skipped || !strings.Contains(o.Figure, "is not installed") {
			t.Errorf("%s: %v, %s", o.What, o.verdict, o.Figure)
		}
	}
}

func TestJSONHasTheFigure(t *testing.T) {
	var out bytes.Buffer
	showJSON(&out, row{number: 3, name: "few"}, outcome{"processor", "1.0 %", "at most 5.0 %", passed})
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"row": 3.0, "name": "few", "verdict": "pass", "what": "processor", "figure": "1.0 %", "threshold": "at most 5.0 %"}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is %v, want %v", key, got[key], value)
		}
	}
}
