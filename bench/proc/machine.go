package proc

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Times is the time of some processors since the machine has started, in ticks.
type Times struct {
	All   int64
	Busy  int64 // used by processes and by interrupts
	Steal int64 // given to other guests by the hypervisor
}

// Since is the difference between t and an earlier reading.
func (t Times) Since(before Times) Times {
	return Times{t.All - before.All, t.Busy - before.Busy, t.Steal - before.Steal}
}

// TimesOf reads the times of processors.
func TimesOf(cpus []int) (Times, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Times{}, err
	}
	return parseTimes(string(stat), cpus)
}

// parseTimes reads /proc/stat, and sums the times of the processors.
func parseTimes(stat string, cpus []int) (t Times, err error) {
	found := 0
	for line := range strings.Lines(stat) {
		// cpu0 user nice system idle iowait irq softirq steal; guests are a part of user and nice
		fields := strings.Fields(line)
		if len(fields) < 9 || !strings.HasPrefix(fields[0], "cpu") {
			continue
		}
		cpu, err := strconv.Atoi(fields[0][len("cpu"):])
		if err != nil || !slices.Contains(cpus, cpu) {
			continue // of all processors, or of another one
		}
		found++
		for i, field := range fields[1:9] {
			n, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return t, fmt.Errorf("/proc/stat: %w", err)
			}
			t.All += n
			switch i {
			case 3, 4: // idle
			case 7:
				t.Steal += n
			default:
				t.Busy += n
			}
		}
	}
	if found < len(cpus) {
		return t, fmt.Errorf("/proc/stat has %d of the processors %v", found, cpus)
	}
	return t, nil
}

// LoadAverage is the number of processes that ran or waited for a disk, on average over
// a minute.
func LoadAverage() (float64, error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), " ")
	return strconv.ParseFloat(first, 64)
}

// Governor is a processor's frequency governor, empty where there is none, as in most
// virtual machines.
func Governor(cpu int) string {
	text, err := os.ReadFile(fmt.Sprintf("/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
