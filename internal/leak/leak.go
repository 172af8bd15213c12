// Package leak fails the tests of a package that leak goroutines or sockets:
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

// patience bounds the wait for goroutines that are about to end. It exceeds the 10 s
// after which idle workers of http1's pools end.
const patience = 20 * time.Second

// Main runs the tests and exits with 1 if goroutines or sockets are left.
func Main(m *testing.M) {
	// The first Notify starts a goroutine that stays.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGWINCH)
	signal.Stop(signals)
	before := count()
	code := m.Run()
	if code == 0 {
		code = check(before, patience)
	}
	os.Exit(code)
}

type counts struct{ goroutines, sockets int }

func count() counts { return counts{runtime.NumGoroutine(), len(sockets())} }

// check waits until the counts are back at before. It returns the exit code.
func check(before counts, patience time.Duration) int {
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		now := count()
		if now.goroutines <= before.goroutines && now.sockets <= before.sockets {
			return 0
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			fmt.Fprintf(os.Stderr, "the tests leak: %+v after, %+v before; sockets %v, goroutines:\n%s\n",
				now, before, sockets(), stacks[:runtime.Stack(stacks, true)])
			return 1
		}
	}
}

// sockets lists the descriptors of sockets. Other kinds may belong to the runtime.
func sockets() (fds []int) {
	for fd := range 1024 {
		var stat unix.Stat_t
		if err := unix.Fstat(fd, &stat); err == nil && stat.Mode&unix.S_IFMT == unix.S_IFSOCK {
			fds = append(fds, fd)
		}
	}
	return fds
}
