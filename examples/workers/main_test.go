package main_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// server is the running supervisor and its workers.
type server struct {
	*program.Program
	t       *testing.T
	address string
}

const count = 3

// start returns the server when its workers are ready.
func start(t *testing.T, args ...string) *server {
	t.Helper()
	return startMany(t, count, args...)
}

func startMany(t *testing.T, n int, args ...string) *server {
	t.Helper()
	args = append([]string{"-listen", "127.0.0.1:0", "-workers", strconv.Itoa(n)}, args...)
	p := program.Start(t, args...)
	s := &server{p, t, strings.TrimSuffix(p.Stdout.Line("http://"), "/")}
	s.await("all workers are ready", func() bool { return len(s.workers()) >= n })
	return s
}

var (
	readyLine = regexp.MustCompile(`a worker is ready pid=(\d+)`)
	endLine   = regexp.MustCompile(`a worker has ended pid=(\d+)`)
)

// workers lists the process IDs that the log reports as ready and not ended.
func (s *server) workers() (live []string) {
	log := s.Stderr.String()
	ended := numbers(endLine, log)
	for _, n := range numbers(readyLine, log) {
		if !slices.Contains(ended, n) {
			live = append(live, n)
		}
	}
	return live
}

func numbers(line *regexp.Regexp, log string) (found []string) {
	for _, match := range line.FindAllStringSubmatch(log, -1) {
		found = append(found, match[1])
	}
	return found
}

func (s *server) await(condition string, ok func() bool) {
	s.t.Helper()
	eventually(s.t, condition, ok)
}

// eventually waits until ok, within program.Patience.
func eventually(t *testing.T, condition string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(program.Patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", program.Patience, condition)
		}
	}
}

// send sends a signal to a worker.
func send(t *testing.T, worker string, s syscall.Signal) {
	t.Helper()
	pid, err := strconv.Atoi(worker)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatalf("signal worker %s: %v", worker, err)
	}
}

// runs reports whether a process exists and is not a zombie.
func runs(worker string) bool {
	out, err := exec.Command("ps", "-o", "stat=", "-p", worker).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(out)), "Z")
}

// allEnd waits until none of the workers exists.
func allEnd(t *testing.T, workers []string) {
	t.Helper()
	for _, w := range workers {
		eventually(t, "worker "+w+" has ended", func() bool { return !runs(w) })
	}
}

func TestWorkersShareTheListener(t *testing.T) {
	s := start(t)
	seen := map[string]bool{}
	s.await("every worker has answered", func() bool {
		c := program.Dial(t, s.address)
		defer c.Conn.Close()
		seen[workerOf(c.Get("/"))] = true
		return len(seen) == count
	})
	for _, w := range s.workers() {
		if !seen[w] {
			t.Errorf("responses from %v, the workers are %v", seen, s.workers())
		}
	}
}

func TestKilledWorkerIsReplaced(t *testing.T) {
	s := start(t)
	l := drive(t, s.address, 12, 2, time.Millisecond)
	l.flows(t, 200)
	before := s.workers()
	killed := before[0]
	send(t, killed, syscall.SIGKILL)
	s.await("another worker is ready", func() bool {
		now := s.workers()
		return len(now) == count && !slices.Contains(now, killed)
	})
	l.flows(t, 200)
	l.stop()
	for _, f := range l.failed() {
		// A connection without a response yet may have been accepted by the killed worker.
		if !f.dialed || f.worker != killed && f.worker != "" {
			t.Errorf("worker %s was killed, and another request failed: %v", killed, f)
		}
	}
	s.Signal(syscall.SIGTERM)
	s.ExitsCleanly()
}

func TestSignalDrainsAllWorkers(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(signal.String(), func(t *testing.T) {
			s := start(t)
			workers := s.workers()
			c := program.Dial(t, s.address)
			c.Get("/") // the connection has been accepted
			request := program.Get("/")
			c.Send(request[:20])
			s.Signal(signal)
			s.AwaitRefusal(s.address)
			for _, a := range c.UntilLast(request, 20) {
				if a.StatusCode != 200 {
					t.Errorf("got %s", a.Status)
				}
			}
			c.Ends()
			c.Conn.Close()
			s.ExitsCleanly()
			allEnd(t, workers)
		})
	}
}

func TestNoWorkerSurvivesTheSupervisor(t *testing.T) {
	s := start(t)
	workers := s.workers()
	send(t, workers[0], syscall.SIGSTOP) // a stopped process too
	for _, w := range workers {
		if !runs(w) {
			t.Fatalf("worker %s does not exist at the start", w)
		}
	}
	s.Kill()
	allEnd(t, workers)
	s.AwaitRefusal(s.address)
}

func TestReplacementFailsNoRequest(t *testing.T) {
	s := start(t)
	l := drive(t, s.address, 6, 2, time.Millisecond)
	l.flows(t, 200)
	before := s.workers()
	if got, want := s.Stdout.Line("supervisor "), strconv.Itoa(s.PID()); got != want {
		t.Fatalf("the printed supervisor is %s, want %s", got, want)
	}
	s.Signal(syscall.SIGHUP)
	s.await("the old workers have ended and the new ones are ready", func() bool {
		now := s.workers()
		return len(now) == count && !slices.ContainsFunc(now, func(w string) bool { return slices.Contains(before, w) })
	})
	l.flows(t, 200)
	l.noneFailed(t)
	s.Signal(syscall.SIGTERM)
	s.ExitsCleanly()
}

func TestStoppedWorkerIsReplaced(t *testing.T) {
	s := start(t, "-heartbeat", "1s")
	stopped := s.workers()[0]
	send(t, stopped, syscall.SIGSTOP)
	s.await("another worker is ready", func() bool {
		now := s.workers()
		return len(now) >= count && !slices.Contains(now, stopped)
	})
	if log := s.Stderr.String(); !strings.Contains(log, "worker "+stopped+" was killed: it has not reported for 1s") {
		t.Error("the log does not say why")
	}
	allEnd(t, []string{stopped})
	s.Signal(syscall.SIGTERM)
	s.ExitsCleanly()
}

func TestCrashBudgetEndsTheProgram(t *testing.T) {
	s := start(t, "-max-crashes", "1")
	for range 2 {
		w := s.workers()[0]
		send(t, w, syscall.SIGKILL)
		s.await("its end is logged", func() bool { return !slices.Contains(s.workers(), w) })
		select {
		case <-s.Ended():
		default:
			s.await("the workers are complete, or the supervisor gives up", func() bool {
				select {
				case <-s.Ended():
					return true
				default:
					return len(s.workers()) == count || strings.Contains(s.Stderr.String(), "too many crashes")
				}
			})
		}
	}
	if state := s.Wait(); state.ExitCode() != 1 {
		t.Errorf("ended with %v, want exit status 1", state)
	}
	if log := s.Stderr.String(); !strings.Contains(log, "too many crashes: more than 1 within 1m0s") {
		t.Error("the log does not say why")
	}
}
