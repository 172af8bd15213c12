package loop

import (
	"slices"
	"testing"

	"github.com/eddynet/eddy/internal/sockets"
)

// TestFramedBytesStayTogether: what stands around owned bytes is written with them, also
// beyond MaxOutput, or not at all.
func TestFramedBytesStayTogether(t *testing.T) {
	r := newRig(t)
	large := pattern(int(r.settings.MaxOutput) + 1)
	released := 0
	var errs []error
	p := &script{open: func(c *Conn) {
		for range 2 {
			errs = append(errs, c.WriteFramed([]byte("<"), large, []byte(">"), func() { released++ }))
		}
		errs = append(errs, c.WriteFramed(nil, nil, nil, nil))
	}}
	ours, _ := unixPair.make(t)
	r.openConn(r.loop.newConn(ours.release(), sockets.Addr{}), p)
	r.until("the connection ends", p.ended)
	if want := []error{nil, ErrOutputFull, ErrClosed}; !slices.Equal(errs, want) {
		t.Errorf("got %v, want %v", errs, want)
	}
	if released != 2 {
		t.Errorf("%d releases, want 2", released)
	}
}
