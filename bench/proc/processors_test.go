package proc

import (
	"slices"
	"testing"
)

func TestProcessors(t *testing.T) {
	if got, err := Processors("0,2-4"); err != nil || !slices.Equal(got, []int{0, 2, 3, 4}) {
		t.Error(got, err)
	}
	for _, bad := range []string{"", "a", "-1", "3-2", "0,,1", "0-9999"} {
		if got, err := Processors(bad); err == nil {
			t.Errorf("%q gave %v", bad, got)
		}
	}
}
