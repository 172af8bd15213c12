package program

import (
	"strings"
	"sync"
	"time"
)

// Output is what the program has written to one of its streams so far. Any
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

// Write is for the program.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.text.Write(p)
}

// String is all that was written.
func (o *Output) String() string {
	text, _ := o.now()
	return text
}

func (o *Output) now() (text string, changed <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.changed
}

// Line waits for the first whole line that begins with prefix, and returns the rest
// of it. The test fails if the program ends without it, or within Patience.
func (o *Output) Line(prefix string) string {
	o.of.t.Helper()
	return o.Lines(prefix, 1)[0]
}

// Lines waits for n lines that begin with prefix, and returns the rest of each. More
// than n are returned if they are there.
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
			ended = true // its output is complete: look once more
		case <-late:
			o.of.t.Fatalf("%d lines on %s begin with %q within %v, want %d", len(found), o.name, prefix, Patience, n)
		}
	}
}

// matching returns what follows prefix on each whole line that begins with it.
func matching(text, prefix string) (found []string) {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, prefix)
		if whole, end := strings.CutSuffix(rest, "\n"); ok && end {
			found = append(found, whole)
		}
	}
	return found
}
