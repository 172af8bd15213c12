package proc

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestUsageCountsWork(t *testing.T) {
	before, err := UsageOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for end := before.CPU + 30*time.Millisecond; ; {
		now, err := UsageOf(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if now.CPU > end {
			break
		}
	}
	after, err := UsageOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	used := after.Since(before)
	if ticks := used.User + used.System; ticks > used.CPU+2*tick || used.CPU > ticks+2*tick {
		t.Errorf("clock %v, ticks %v", used.CPU, ticks)
	}
}

func TestUsageOfAMissingProcess(t *testing.T) {
	if _, err := UsageOf(1 << 28); err == nil {
		t.Error("no error for a process that does not exist")
	}
}

func TestStatWithAnOddName(t *testing.T) {
	user, system, err := parseStat("7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 31 0 0 20\n")
	if err != nil || user != 2500*time.Millisecond || system != 310*time.Millisecond {
		t.Error(user, system, err)
	}
	for _, bad := range []string{"", "7 (a) S 1 2", "7 (a) S 1 2 3 4 5 6 7 8 9 10 x 31 0"} {
		if _, _, err := parseStat(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

func TestRSS(t *testing.T) {
	if n, err := parseRSS("Name:\ta\nVmRSS:\t    2048 kB\nThreads:\t1\n"); n != 2<<20 || err != nil {
		t.Error(n, err)
	}
	if _, err := parseRSS("Name:\ta\n"); err == nil {
		t.Error("no error without VmRSS")
	}
	if n, err := RSS(os.Getpid()); n < 1<<20 || err != nil {
		t.Error(n, err)
	}
}

func TestOpenCountsDescriptors(t *testing.T) {
	before, err := Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if after, err := Open(os.Getpid()); err != nil || after != before+1 {
		t.Error(before, after, err)
	}
}

func TestTracedOfAMissingProcess(t *testing.T) {
	if _, err := Traced(1 << 28); err == nil {
		t.Error("no error for a process that does not exist")
	}
}

func TestTraced(t *testing.T) {
	process := exec.Command("sleep", "60")
	process.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	runtime.LockOSThread() // its tracer
	defer runtime.UnlockOSThread()
	if err := process.Start(); err != nil {
		t.Skip("no process can be traced here: ", err)
	}
	defer process.Wait()
	defer process.Process.Kill()
	if traced, err := Traced(process.Process.Pid); !traced || err != nil {
		t.Error(traced, err)
	}
	var state unix.WaitStatus
	if _, err := unix.Wait4(process.Process.Pid, &state, 0, nil); err != nil || !state.Stopped() {
		t.Fatal(state, err)
	}
	if err := unix.PtraceDetach(process.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if traced, err := Traced(process.Process.Pid); traced || err != nil {
		t.Error(traced, err)
	}
}
