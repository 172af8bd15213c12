//go:build linux

package poller

import (
	"math"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestMillisecondsRoundUpAndFitAnInt32(t *testing.T) {
	for timeout, want := range map[time.Duration]int{
		math.MinInt64:           -1,
		Forever:                 -1,
		0:                       0,
		1:                       1,
		time.Millisecond:        1,
		time.Millisecond + 1:    2,
		1999 * time.Microsecond: 2,
		time.Second:             1000,
		math.MaxInt32*1e6 - 1:   math.MaxInt32,
		math.MaxInt32*1e6 + 1:   math.MaxInt32,
		math.MaxInt64:           math.MaxInt32,
	} {
		if got := milliseconds(timeout); got != want {
			t.Errorf("milliseconds(%d) = %d, want %d", timeout, got, want)
		}
	}
}

// A signal ends a Wait early: epoll_wait(2) returns EINTR even with SA_RESTART. Wait
// returns no error.
func TestSignalEndsWaitWithoutAnError(t *testing.T) {
	p, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	thread := make(chan int, 1)
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		thread <- unix.Gettid()
		events, err := p.Wait(Forever)
		if len(events) != 0 {
			t.Errorf("%d events after a signal", len(events))
		}
		done <- err
	}()
	// The runtime uses SIGURG itself and ignores unexpected ones. The first signals may
	// arrive before Wait blocks.
	for id := <-thread; ; {
		if err := unix.Tgkill(unix.Getpid(), id, unix.SIGURG); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Wait: %v", err)
			}
			return
		case <-time.After(time.Millisecond):
		}
	}
}
