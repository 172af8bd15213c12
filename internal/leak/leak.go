// Package leak holds that the tests of a package give back what they take:
//
//	func TestMain(m *testing.M) { leak.Main(m) }
package leak

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long goroutines that are about to end may take. It is longer than
// the 10 s for which idle workers of http1's pools wait.
const patience = 20 * time.Second

// Main runs the tests, and fails if goroutines or sockets are left behind.
func Main(m *testing.M) {
	// The first Notify starts a goroutine that stays.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGWINCH)
	signal.Stop(signals)
	before := count()
	code := m.Run()
	if code == 0 {
		code = verdict(before, patience)
	}
	os.Exit(code)
}

type counts struct{ goroutines, sockets int }

func count() counts { return counts{runtime.NumGoroutine(), len(sockets())} }

// verdict looks again and again until no more is left than was there before.
func verdict(before counts, patience time.Duration) int {
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		now := count()
		if now.goroutines <= before.goroutines && now.sockets <= before.sockets {
			return 0
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			fmt.Fprintf(os.Stderr, "left behind by the tests: %+v, before them %+v; sockets %v, goroutines:\n%s\n",
				now, before, sockets(), stacks[:runtime.Stack(stacks, true)])
			return 1
		}
	}
}

// sockets lists the descriptors of sockets. Others may be the runtime's own.
func sockets() (fds []int) {
	for fd := range 1024 {
		var stat unix.Stat_t
		if err := unix.Fstat(fd, &stat); err == nil && stat.Mode&unix.S_IFMT == unix.S_IFSOCK {
			fds = append(fds, fd)
		}
	}
	return fds
}
