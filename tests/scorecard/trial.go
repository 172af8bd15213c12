package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

// row is one promise.
type row struct {
	number  int
	name    string
	promise string
	limit   time.Duration // of its trials together
	trials  []func(t *trial) error
}

// verdict is the result of comparing a figure with its threshold.
type verdict int

const (
	passed  verdict = iota
	fails           // the promise is broken, or the trial has failed
	skipped         // a tool or a feature of the system is missing
	noted           // a figure without a threshold
)

func (v verdict) String() string { return [...]string{"pass", "FAIL", "skipped", "info"}[v] }

func (v verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// outcome is one line of the scorecard.
type outcome struct {
	What      string `json:"what"`
	Figure    string `json:"figure"`
	Threshold string `json:"threshold"`
	verdict   verdict
}

// trial is the environment of a trial. Its methods must be called on the trial's
// goroutine, unless stated otherwise.
type trial struct {
	*bench
	ctx      context.Context
	servers  []*server
	outcomes []outcome
}

// try runs the trials of a row. It ends the processes that they have started.
func (b *bench) try(ctx context.Context, r row) []outcome {
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	var all []outcome
	for _, f := range r.trials {
		t := &trial{bench: b, ctx: ctx}
		if err := f(t); err != nil {
			t.add(outcome{"trial", "error: " + err.Error(), "", fails})
		}
		t.end()
		all = append(all, t.outcomes...)
	}
	return all
}

// end stops the servers. With -v it shows the logs of a failed trial.
func (t *trial) end() {
	for _, s := range t.servers {
		s.kill()
		for _, line := range s.logged() {
			if strings.Contains(line, "DATA RACE") || strings.HasPrefix(line, "fatal error:") {
				t.add(outcome{"the server's log", line, "no such line", fails})
			}
		}
	}
	failed := false
	for _, o := range t.outcomes {
		failed = failed || o.verdict == fails
	}
	for _, s := range t.servers {
		if failed && t.verbose {
			for _, line := range s.logged() {
				fmt.Fprintln(os.Stderr, "    |", line)
			}
		}
	}
}

func (t *trial) add(o outcome) { t.outcomes = append(t.outcomes, o) }

// check adds a figure that passes or fails.
func (t *trial) check(name, figure, threshold string, ok bool) {
	v := passed
	if !ok {
		v = fails
	}
	t.add(outcome{name, figure, threshold, v})
}

// info adds a figure without a threshold.
func (t *trial) info(name string, figure any) { t.add(outcome{name, fmt.Sprint(figure), "", noted}) }

// skip adds a figure that cannot be measured, with the reason.
func (t *trial) skip(name, why string) { t.add(outcome{name, why, "", skipped}) }

// atMost adds a figure with an upper bound.
func atMost[T cmp.Ordered](t *trial, name string, figure, bound T) {
	t.check(name, fmt.Sprint(figure), fmt.Sprintf("at most %v", bound), figure <= bound)
}

// atLeast adds a figure with a lower bound.
func atLeast[T cmp.Ordered](t *trial, name string, figure, bound T) {
	t.check(name, fmt.Sprint(figure), fmt.Sprintf("at least %v", bound), figure >= bound)
}

// equal adds a figure with an exact value.
func equal[T comparable](t *trial, name string, figure, want T) {
	t.check(name, fmt.Sprint(figure), fmt.Sprintf("%v", want), figure == want)
}

// within adds a duration with both bounds.
func within(t *trial, name string, d, from, to time.Duration) {
	t.check(name, d.Round(time.Millisecond).String(), fmt.Sprintf("%v to %v", from, to), from <= d && d <= to)
}

// has reports whether a tool is installed. Otherwise it skips the figure.
func (t *trial) has(tool, name string) bool {
	if _, err := exec.LookPath(tool); err != nil {
		t.skip(name, tool+" is not installed")
		return false
	}
	return true
}

// hasProc reports whether processes can be observed. Otherwise it skips the figure.
func (t *trial) hasProc(name string) bool {
	if runtime.GOOS != "linux" {
		t.skip(name, "needs the proc(5) of Linux")
		return false
	}
	return true
}

// pause waits. It returns an error at the end of the trial's time.
func (t *trial) pause(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-t.ctx.Done():
		return context.Cause(t.ctx)
	}
}

// parallel runs f concurrently for each number below n, and returns the first error.
func parallel(n int, f func(i int) error) error {
	var (
		wait  sync.WaitGroup
		once  sync.Once
		first error
	)
	for i := range n {
		wait.Go(func() {
			if err := f(i); err != nil {
				once.Do(func() { first = err })
			}
		})
	}
	wait.Wait()
	return first
}

// size is a number of bytes.
type size int64

const (
	kiB size = 1 << 10
	miB size = 1 << 20
)

func (s size) String() string {
	if -miB < s && s < miB {
		return fmt.Sprintf("%.1f KiB", float64(s)/float64(kiB))
	}
	return fmt.Sprintf("%.1f MiB", float64(s)/float64(miB))
}

// percent is a share.
type percent float64

func (p percent) String() string { return fmt.Sprintf("%.1f %%", float64(p)) }
