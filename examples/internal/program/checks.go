package program

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// EachSignal runs a test for each signal that drains an example: SIGTERM and SIGINT.
func EachSignal(t *testing.T, test func(t *testing.T, s os.Signal)) {
	for _, s := range [...]os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(s.String(), func(t *testing.T) { test(t, s) })
	}
}

// DiesOf expects that a signal kills the program during the drain begun by an earlier
// one. It sends the signal repeatedly: the program may not have handled the earlier one
// yet.
func (p *Program) DiesOf(s os.Signal) {
	p.t.Helper()
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); {
		p.Signal(s)
		select {
		case <-p.ended:
			status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
			if !status.Signaled() || status.Signal() != s {
				p.t.Errorf("the program ended with %v, want signal %v", p.cmd.ProcessState, s)
			}
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
	p.t.Fatalf("the program still runs after %v of %v", Patience, s)
}

// UsageNames expects that -help names all of these.
func UsageNames(t testing.TB, names ...string) {
	t.Helper()
	p := Start(t, "-help")
	p.ExitsCleanly()
	usage := p.Stderr.String()
	for _, name := range names {
		if !strings.Contains(usage, name) {
			t.Errorf("the usage does not name %s:\n%s", name, usage)
		}
	}
}
