package proc

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Pin restricts this process to the processors of a list such as "0,2-3". Threads that
// start later inherit the restriction.
func Pin(list string) error {
	cpus, err := Processors(list)
	if err != nil {
		return err
	}
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(id, &set); err != nil && err != unix.ESRCH { // the thread may have ended
			return fmt.Errorf("processors %s: %w", list, err)
		}
	}
	return nil
}
