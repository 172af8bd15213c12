package program

import (
	"strings"
	"sync"
	"time"
)

// Output collects one output stream of the program. Its methods may be called from any
// goroutine.
type Output struct {
	name string
	of   *Program

	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{} // closed when text grows
}

func newOutput(name string, of *Program) *Output {
	return &Output{name: name, of: of, changed: make(chan struct{})}
}

// Write is called with the program's output.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.text.Write(p)
}

// String returns the output so far.
func (o *Output) String() string {
	text, _ := o.now()
	return text
}

func (o *Output) now() (text string, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.changed
}

// Line waits for the first complete line with that prefix, and returns the line without
// it. The test fails if the program ends without such a line, or after Patience.
func (o *Output) Line(prefix string) string {
	o.of.t.Helper()
	return o.Lines(prefix, 1)[0]
}

// Lines waits for at least n lines with that prefix, and returns all of them without it.
func (o *Output) Lines(prefix string, n int) []string {
	o.of.t.Helper()
	late := time.After(Patience)
	for ended := false; ; {
		text, changed := o.now()
		found := matching(text, prefix)
		if len(found) >= n {
			return found
		}
		if ended {
			o.of.t.Fatalf("the program ended with %d lines on %s that begin with %q, want %d", len(found), o.name, prefix, n)
		}
		select {
		case <-changed:
		case <-o.of.ended:
			ended = true // the output is complete: check once more
		case <-late:
			o.of.t.Fatalf("%d lines on %s begin with %q within %v, want %d", len(found), o.name, prefix, Patience, n)
		}
	}
}

// matching returns the complete lines with that prefix, without it.
func matching(text, prefix string) (found []string) {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, prefix)
		if whole, end := strings.CutSuffix(rest, "\n"); ok && end {
			found = append(found, whole)
		}
	}
	return found
}
