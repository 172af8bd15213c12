package main_test

import (
	"fmt"
	"os"
)

// memory returns a process's resident memory in bytes, or 0.
func memory(pid int) int {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, resident int
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		return 0
	}
	return resident * os.Getpagesize()
}
