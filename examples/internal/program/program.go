// Package program runs an example for its tests: built once, in a separate process that
// ends with the test. A test package calls
//
//	func TestMain(m *testing.M) { program.Main(m) }
//
// and its tests call Start.
package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Patience bounds every wait. No test expects to reach it.
const Patience = 20 * time.Second

// binary is the path of the executable built by Main.
var binary string

// Main builds the main package in the current directory, the one of the test, and runs
// the tests. The program is built with the race detector if the test is.
func Main(m *testing.M) {
	dir, err := os.MkdirTemp("", "eddy-example-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "program")
	code := 1
	build := exec.Command("go", append([]string{"build", "-o", binary}, buildFlags...)...)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %v\n%s", build, err, out)
	} else if err := touchSources(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// touchSources opens the program's source files, so that cached results of go test
// depend on them.
func touchSources() error {
	const format = "{{if not .Standard}}{{range .GoFiles}}{{$.Dir}}/{{.}}\n{{end}}{{end}}"
	list, err := exec.Command("go", "list", "-deps", "-f", format).Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	for _, name := range strings.Fields(string(list)) {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		_ = f.Close() // not written
	}
	return nil
}

// Program is a running example. Its methods must be called on the goroutine of the test,
// unless stated otherwise.
type Program struct {
	Stdout, Stderr *Output

	t     testing.TB
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended and its output is complete
}

// Start runs the program with these arguments. After the test, a running program is
// killed; if the test has failed, the output is logged.
func Start(t testing.TB, args ...string) *Program {
	t.Helper()
	p := prepare(t, args)
	p.cmd.Stderr = p.Stderr
	p.start()
	return p
}

func prepare(t testing.TB, args []string) *Program {
	p := &Program{t: t, cmd: exec.Command(binary, args...), ended: make(chan struct{})}
	p.Stdout, p.Stderr = newOutput("stdout", p), newOutput("stderr", p)
	p.cmd.Stdout = p.Stdout
	p.cmd.WaitDelay = Patience
	return p
}

func (p *Program) start() {
	p.t.Helper()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // ProcessState has the result
		close(p.ended)
	}()
	p.t.Cleanup(p.cleanup)
}

func (p *Program) cleanup() {
	p.Kill()
	if p.t.Failed() {
		p.t.Logf("%v: %v\nstdout:\n%s\nstderr:\n%s", p.cmd.Args[1:], p.cmd.ProcessState, p.Stdout, p.Stderr)
	}
}

// PID is the process ID.
func (p *Program) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the program has ended. Any goroutine may call it.
func (p *Program) Ended() <-chan struct{} { return p.ended }

// Signal sends a signal, unless the program has ended.
func (p *Program) Signal(s os.Signal) {
	p.t.Helper()
	select {
	case <-p.ended:
	default:
		if err := p.cmd.Process.Signal(s); err != nil && err != os.ErrProcessDone {
			p.t.Errorf("send %v: %v", s, err)
		}
	}
}

// Wait waits for the end of the program, within Patience.
func (p *Program) Wait() *os.ProcessState {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(Patience):
		p.t.Fatalf("the program still runs after %v", Patience)
	}
	return p.cmd.ProcessState
}

// ExitsCleanly waits for the end of the program, and expects exit status 0.
func (p *Program) ExitsCleanly() {
	p.t.Helper()
	if state := p.Wait(); !state.Success() {
		p.t.Errorf("the program ended with %v, want exit status 0", state)
	}
}

// Kill kills the program and waits for its end.
func (p *Program) Kill() {
	p.t.Helper()
	select {
	case <-p.ended:
		return
	default:
		_ = p.cmd.Process.Kill() // fails if it has just ended
	}
	select {
	case <-p.ended:
	case <-time.After(2 * Patience):
		p.t.Errorf("process %d has not ended after SIGKILL", p.PID())
	}
}
