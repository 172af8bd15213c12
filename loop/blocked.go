package loop

import (
	"fmt"
	"path"
	"strings"
	"time"
)

// BlockedError says that a loop did not end in time: a callback of the program blocks
// or computes, as a rule.
type BlockedError struct {
	Loop  int           // the loop's number in its engine, from 0
	For   time.Duration // since the loop's cycle began
	Stack string        // of the loop, as the runtime prints it, or why there is none
}

// Error names the functions that the loop is in, innermost first.
func (e *BlockedError) Error() string {
	took, names := e.For.Round(time.Millisecond), callees(e.Stack)
	if len(names) == 0 {
		return fmt.Sprintf("eddy: loop %d has not ended: it has been busy for %v", e.Loop, took)
	}
	return fmt.Sprintf("eddy: loop %d has been blocked for %v by %s: move what blocks or computes to another goroutine",
		e.Loop, took, strings.Join(names, " < "))
}

// Blocked describes what the loop is doing, for an engine that does not wait for it.
// It takes the loop's stack. Any goroutine.
func (l *Loop) Blocked() *BlockedError {
	return &BlockedError{
		Loop:  l.index,
		For:   time.Duration(l.clock() - l.watch.woke.Load()),
		Stack: stackOf(l.watch.id.Load()),
	}
}

// callees are the functions that a loop has called, innermost first, without the
// folders of their packages.
func callees(stack string) (names []string) {
	const loopPackage = "github.com/eddynet/eddy/loop."
	_, frames, _ := strings.Cut(stack, "\n")
	for line := range strings.Lines(frames) {
		if strings.HasPrefix(line, loopPackage) {
			return names
		}
		arguments := strings.LastIndex(line, "(")
		if arguments >= 0 && !strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "runtime.") {
			names = append(names, path.Base(line[:arguments]))
		}
	}
	return names
}
