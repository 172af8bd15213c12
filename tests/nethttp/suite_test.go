// Package nethttp_test runs Go's installed tests of net/http and net/http/httputil for
// HTTP/1, with an eddy engine and the net/http adapter instead of the servers of
// httptest.
package nethttp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy/tests/nethttp/adapted"
)

const (
	// limit bounds the run of each package, which normally takes less than half a minute.
	limit = 90 * time.Second
	// tailMost bounds the shown output of a test that does not end, in bytes.
	tailMost = 64 << 10
	// reachedLeast detects an overlay without effect: about 330 tests reach the adapter with Go 1.26.
	reachedLeast = 300
	// otherModes are subtests of protocols that eddy does not support.
	otherModes = "/^(h2|https1|h2unencrypted)$"
)

// packages are the tested packages.
var packages = []string{"net/http", "net/http/httputil"}

// name identifies a test.
type name struct{ pkg, test string }

func (n name) String() string { return n.pkg + " " + n.test }

// top is the test that a subtest belongs to.
func (n name) top() name {
	test, _, _ := strings.Cut(n.test, "/")
	return name{n.pkg, test}
}

// event is a line of go test -json.
type event struct{ Action, Package, Test, Output string }

// results summarizes the events of a run.
type results struct {
	ended   map[name]string // pass, fail or skip
	output  map[name]string
	reached map[name]bool // top-level tests with a server on the engine
	rest    string        // other output, such as a panic or a compile error
}

func read(t *testing.T, goroot string, out []byte) *results {
	t.Helper()
	use := map[string]map[string][]string{}
	for _, pkg := range packages {
		use[pkg] = users(t, goroot, pkg)
	}
	r := &results{ended: map[name]string{}, output: map[name]string{}, reached: map[name]bool{}}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			r.rest += lines.Text() + "\n"
			continue
		}
		n := name{e.Package, e.Test}
		switch {
		case e.Test == "":
			r.rest += e.Output
		case e.Action == "output":
			r.output[n] += e.Output
			// The line may be attributed to another test, which ends meanwhile.
			if function, ok := strings.CutPrefix(e.Output, adapted.Mark); ok {
				function = strings.TrimSpace(function[strings.LastIndex(function, ".")+1:])
				for _, test := range use[e.Package][function] {
					r.reached[name{e.Package, test}] = true
				}
			}
		case e.Action == "pass", e.Action == "fail", e.Action == "skip":
			r.ended[n] = e.Action
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return r
}

// failed lists the failed tests without a failed subtest.
func (r *results) failed() (list []name) {
	for n, end := range r.ended {
		parent := func(o name) bool {
			return r.ended[o] == "fail" && o.pkg == n.pkg && strings.HasPrefix(o.test, n.test+"/")
		}
		if end == "fail" && r.reached[n.top()] && !slices.ContainsFunc(slices.Collect(maps.Keys(r.ended)), parent) {
			list = append(list, n)
		}
	}
	return list
}

// tail is the end of the output of a test and its subtests. After a timeout it has the
// stacks of all goroutines.
func (r *results) tail(n name) (out string) {
	for o, text := range r.output {
		if o.top() == n {
			out += text
		}
	}
	return out[max(0, len(out)-tailMost):]
}

// exception is a line of exceptions.txt.
type exception struct {
	skip   bool
	reason string
}

func exceptions(t *testing.T) map[name]exception {
	t.Helper()
	text, err := os.ReadFile("exceptions.txt")
	if err != nil {
		t.Fatal(err)
	}
	list := map[name]exception{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		words := strings.SplitN(strings.TrimSpace(line), " ", 3)
		if len(words) < 3 {
			t.Fatalf("exceptions.txt: %q: a line is package, test and reason", line)
		}
		n := name{words[0], words[1]}
		if _, twice := list[n]; twice {
			t.Errorf("exceptions.txt has %v twice", n)
		}
		reason, skip := strings.CutPrefix(words[2], "skip ")
		list[n] = exception{skip, reason}
	}
	return list
}

// run runs the suite without the skipped tests.
func run(t *testing.T, listed map[name]exception) *results {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	goroot := strings.TrimSpace(string(out))
	skip := []string{otherModes}
	for n, e := range listed {
		if e.skip {
			skip = append(skip, "^"+strings.ReplaceAll(n.test, "/", "$/^")+"$")
		}
	}
	// One test at a time, so that none waits for a processor.
	args := []string{"test", "-json", "-short", "-count=1", "-parallel=1", "-timeout=" + limit.String(),
		"-overlay=" + overlay(t, goroot), "-skip=" + strings.Join(skip, "|")}
	ctx, cancel := context.WithTimeout(t.Context(), limit+2*time.Minute) // for compiling
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", append(args, packages...)...)
	cmd.WaitDelay = time.Second
	out, _ = cmd.CombinedOutput() // a failure shows in the events
	return read(t, goroot, out)
}

func TestNetHTTPPassesItsOwnTestsOnEddy(t *testing.T) {
	if raceEnabled {
		// Handlers and clients of these tests share variables, ordered by the socket only.
		// Package syscall reports that order to the race detector; the raw system calls of
		// the engine do not.
		t.Skip("the race detector reports races in the tests themselves")
	}
	listed := exceptions(t)
	r := run(t, listed)
	bad, skipped := map[name]bool{}, 0
	for _, n := range r.failed() {
		if bad[n.top()] = true; listed[n].reason == "" {
			t.Errorf("%v fails:\n%s", n, r.output[n])
		}
	}
	for n, e := range listed {
		switch end, ran := r.ended[n]; {
		case e.skip:
			skipped++
		case !ran:
			t.Errorf("exceptions.txt has %v, which has not run", n)
		case end != "fail":
			t.Errorf("exceptions.txt has %v, which passes: remove it", n)
		}
	}
	passed := 0
	for n := range r.reached {
		switch {
		case r.ended[n] == "":
			t.Errorf("%v has not ended:\n%s", n, r.tail(n))
		case !bad[n]:
			passed++
		}
	}
	t.Logf("%d of %d tests that reach the adapter pass; %d more are skipped", passed, len(r.reached), skipped)
	if len(r.reached) < reachedLeast || t.Failed() {
		t.Errorf("%d tests have reached the adapter, want at least %d. Other output:\n%s", len(r.reached), reachedLeast, r.rest)
	}
}
