package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Figures of a process from proc(5). On other systems they are zero: trials call hasProc
// first.

func proc(pid int, name string) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	return string(b)
}

// processor is the processor time of a process, user and system. Threads that have ended
// are not included: Go does not end its threads.
func processor(pid int) (sum time.Duration) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, path := range tasks {
		text, _ := os.ReadFile(path) // the thread may have ended
		spent, _, _ := strings.Cut(string(text), " ")
		n, _ := strconv.ParseInt(spent, 10, 64) // nanoseconds: the kernel writes numbers
		sum += time.Duration(n)
	}
	return sum
}

// resident is the resident memory of a process.
func resident(pid int) size {
	fields := strings.Fields(proc(pid, "statm"))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1]) // the kernel writes numbers
	return size(pages * os.Getpagesize())
}

// descriptors is the number of open descriptors of a process.
func descriptors(pid int) int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(entries)
}

// traced reports whether all threads of a process have a tracer.
func traced(pid int) bool {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	for _, path := range tasks {
		status, _ := os.ReadFile(path)
		if !strings.Contains(string(status), "TracerPid:") || strings.Contains(string(status), "TracerPid:\t0\n") {
			return false
		}
	}
	return len(tasks) > 0
}

// usage samples a process until stop is called.
type usage struct {
	pid     int
	from    time.Time
	before  time.Duration
	base    size
	quit    chan struct{}
	stopped chan size
}

// observe starts sampling.
func observe(pid int) *usage {
	u := &usage{
		pid: pid, from: time.Now(), before: processor(pid), base: resident(pid),
		quit: make(chan struct{}), stopped: make(chan size),
	}
	go func() {
		highest := u.base
		for {
			select {
			case <-u.quit:
				u.stopped <- max(highest, resident(pid))
				return
			case <-time.After(20 * time.Millisecond):
				highest = max(highest, resident(pid))
			}
		}
	}()
	return u
}

// stop returns the largest growth of memory, and the used share of one processor.
func (u *usage) stop() (growth size, share percent) {
	close(u.quit)
	highest := <-u.stopped
	spent := processor(u.pid) - u.before
	return highest - u.base, percent(100 * float64(spent) / float64(time.Since(u.from)))
}

// quiet waits until the server is idle for a moment, but less than the write deadline.
func (t *trial) quiet(s *server) error {
	const still, most = 300 * time.Millisecond, 3 * time.Second
	const idle = time.Millisecond // of processor time, per sample
	before, since := processor(s.pid()), time.Now()
	for from := since; time.Since(since) < still && time.Since(from) < most; {
		if err := t.pause(20 * time.Millisecond); err != nil {
			return err
		}
		now := processor(s.pid())
		if now > before+idle {
			since = time.Now()
		}
		before = now
	}
	return nil
}

// idleDescriptors returns the number of open descriptors. It waits a moment for want,
// since connections may have just ended.
func (s *server) idleDescriptors(want int) (now int) {
	for range 50 {
		if now = descriptors(s.pid()); now == want {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return now
}
