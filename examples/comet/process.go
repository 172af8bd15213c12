package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is processor time.
type usage struct{ user, system time.Duration }

func (u usage) since(before usage) usage {
	return usage{u.user - before.user, u.system - before.system}
}

// memory is resident memory in bytes, or 0 if unknown.
type memory int64

func (m memory) String() string {
	if m == 0 {
		return "?"
	}
	return fmt.Sprintf("%.1f MB", float64(m)/1e6)
}

func ownUsage() usage {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return usage{}
	}
	round := func(t syscall.Timeval) time.Duration {
		return time.Duration(t.Nano()).Round(tick)
	}
	return usage{round(u.Utime), round(u.Stime)}
}

// tick is the unit of times in /proc, equal on every Linux.
const tick = time.Second / 100

// usageOf returns another process's processor time from proc(5), or zero.
func usageOf(pid int) usage {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return usage{}
	}
	// The command's name, in parentheses, may contain any character.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	return usage{ticks(fields[11]), ticks(fields[12])}
}

func ticks(s string) time.Duration {
	n, _ := strconv.Atoi(s) // the kernel writes numbers
	return time.Duration(n) * tick
}

// memoryOf returns another process's resident memory, or 0.
func memoryOf(pid int) memory {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	pages, _ := strconv.Atoi(strings.Fields(string(statm))[1]) // the kernel writes numbers
	return memory(pages * os.Getpagesize())
}
