package lifetime_test

import (
	"context"
	"errors"
	"testing"

	"github.com/eddynet/eddy/internal/lifetime"
)

var errFirst, errSecond = errors.New("first"), errors.New("second")

func TestFirstCauseCounts(t *testing.T) {
	for name, asked := range map[string]bool{"asked for before": true, "asked for afterwards": false} {
		var l lifetime.Lifetime
		if asked && l.Context().Err() != nil || l.Cause() != nil {
			t.Errorf("%s: it has ended at once", name)
		}
		l.End(errFirst)
		l.End(errSecond)
		if l.Cause() != errFirst || context.Cause(l.Context()) != errFirst || l.Context() != l.Context() {
			t.Errorf("%s: cause %v, of the context %v", name, l.Cause(), context.Cause(l.Context()))
		}
	}
}

func TestEndsWithItsParent(t *testing.T) {
	parent, cancel := context.WithCancelCause(context.Background())
	l := lifetime.Lifetime{Parent: parent}
	ctx := l.Context()
	cancel(errFirst)
	<-ctx.Done()
	if context.Cause(ctx) != errFirst || l.Cause() != nil {
		t.Errorf("cause %v, of the lifetime itself %v", context.Cause(ctx), l.Cause())
	}
}
