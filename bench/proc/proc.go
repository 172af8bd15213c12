// Package proc reads the state of a process from proc(5), and its processor time. Linux
// only.
package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Usage is the processor time of a process, with all its threads.
type Usage struct {
	CPU          time.Duration // of the process's CPU-time clock, in nanoseconds
	User, System time.Duration // of proc(5), in ticks of 10 ms
}

// Since is the difference between u and an earlier reading.
func (u Usage) Since(before Usage) Usage {
	return Usage{u.CPU - before.CPU, u.User - before.User, u.System - before.System}
}

// UsageOf reads the processor time of a process.
func UsageOf(pid int) (Usage, error) {
	// The clock ID of another process, as in clock_getcpuclockid(3).
	const scheduled = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &t); err != nil {
		return Usage{}, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, err
	}
	user, system, err := parseStat(string(stat))
	return Usage{time.Duration(t.Nano()), user, system}, err
}

// tick is the unit of times in /proc, equal on every Linux.
const tick = time.Second / 100

// parseStat reads user and system time from /proc/PID/stat.
func parseStat(stat string) (user, system time.Duration, err error) {
	// The command's name, in parentheses, may contain any character.
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, 0, fmt.Errorf("/proc/PID/stat has no times: %.100q", stat)
	}
	ticks := func(s string) time.Duration {
		n, parseErr := strconv.ParseInt(s, 10, 64)
		if parseErr != nil && err == nil {
			err = fmt.Errorf("/proc/PID/stat: %w", parseErr)
		}
		return time.Duration(n) * tick
	}
	return ticks(fields[11]), ticks(fields[12]), err
}

// RSS is the resident memory of a process, in bytes.
func RSS(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return parseRSS(string(status))
}

// parseRSS reads VmRSS from /proc/PID/status.
func parseRSS(status string) (int64, error) {
	_, rest, _ := strings.Cut(status, "\nVmRSS:")
	fields := strings.Fields(rest)
	if len(fields) < 2 || fields[1] != "kB" {
		return 0, fmt.Errorf("/proc/PID/status has no VmRSS in kB")
	}
	kilobytes, err := strconv.ParseInt(fields[0], 10, 64)
	return kilobytes << 10, err
}

// Open counts the open file descriptors of a process.
func Open(pid int) (int, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(entries), err
}

// Traced reports whether all threads of a process are traced: ptrace(2).
func Traced(pid int) (bool, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		return false, err
	}
	if len(files) == 0 {
		return false, fmt.Errorf("there is no process %d", pid)
	}
	for _, file := range files {
		status, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		if strings.Contains(string(status), "\nTracerPid:\t0\n") {
			return false, nil
		}
	}
	return true, nil
}
