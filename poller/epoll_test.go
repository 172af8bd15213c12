//go:build linux

package poller

import (
	"math"
	"testing"
	"time"
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
