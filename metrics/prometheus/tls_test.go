package prometheus

import (
	"reflect"
	"testing"

	"github.com/eddynet/eddy/eddytls"
)

func TestEveryCountOfTLSIsCollected(t *testing.T) {
	var s eddytls.Stats
	n := numbered(reflect.ValueOf(&s).Elem(), 1)
	got := gathered(t, tlsCollector{"public": func() eddytls.Stats { return s }})
	for i := 1; i < n; i++ {
		if got[float64(i)] == "" {
			t.Errorf("no metric has the value of field %d", i)
		}
	}
	if len(got) != n-1 {
		t.Errorf("%d metrics for %d numbers: %v", len(got), n-1, got)
	}
}
