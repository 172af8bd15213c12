package defaults_test

import (
	"testing"
	"time"

	"github.com/eddynet/eddy/internal/defaults"
)

func TestZeroBecomesTheDefault(t *testing.T) {
	zero, set := 0, 5*time.Second
	o := defaults.Of("x: Options")
	defaults.Set(o, "Zero", &zero, 3)
	defaults.Set(o, "Set", &set, time.Second)
	if zero != 3 || set != 5*time.Second || o.Err() != nil {
		t.Errorf("%v, %v, %v", zero, set, o.Err())
	}
}

func TestFirstNegativeFieldIsTheError(t *testing.T) {
	first, second := -time.Second, -1
	o := defaults.Of("x: Options")
	defaults.Set(o, "First", &first, time.Minute)
	defaults.Set(o, "Second", &second, 1)
	const want = "x: Options.First is -1s: it must not be negative; 0 means the default, 1m0s"
	if o.Err() == nil || o.Err().Error() != want {
		t.Errorf("%v, want %s", o.Err(), want)
	}
}
