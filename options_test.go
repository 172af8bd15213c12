package eddy_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/eddynet/eddy"
)

func TestInvalidOptionsAreNamed(t *testing.T) {
	for _, c := range []struct {
		options eddy.Options
		says    []string
	}{
		{eddy.Options{Loops: -1}, []string{"Options.Loops", "-1", "not be negative"}},
		{eddy.Options{MaxConns: -2}, []string{"Options.MaxConns", "-2"}},
		{eddy.Options{MaxInput: -3}, []string{"Options.MaxInput", "-3"}},
		{eddy.Options{HighWater: -4}, []string{"Options.HighWater", "-4"}},
		{eddy.Options{LowWater: -5}, []string{"Options.LowWater", "-5"}},
		{eddy.Options{MaxOutput: -6}, []string{"Options.MaxOutput", "-6"}},
		{eddy.Options{IdleTimeout: -time.Second}, []string{"Options.IdleTimeout", "-1s", "default, 5m0s"}},
		{eddy.Options{WriteTimeout: -1}, []string{"Options.WriteTimeout"}},
		{eddy.Options{LingerTimeout: -1}, []string{"Options.LingerTimeout"}},
		{eddy.Options{LingerBytes: -1}, []string{"Options.LingerBytes"}},
		{eddy.Options{DrainDelay: -1}, []string{"Options.DrainDelay"}},
		{eddy.Options{DrainGrace: -1}, []string{"Options.DrainGrace"}},
		{eddy.Options{DrainTimeout: -1}, []string{"Options.DrainTimeout"}},
		{eddy.Options{SlowCallback: time.Microsecond}, []string{"Options.SlowCallback is 1µs", "1ms or more", "negative value"}},
		{eddy.Options{LowWater: 200, HighWater: 100}, []string{"Options.LowWater is 200", "HighWater, 100", "lower it"}},
		{eddy.Options{MaxOutput: 150, HighWater: 100}, []string{"Options.MaxOutput is 150", "HighWater", "100", "raise it"}},
	} {
		before := descriptors()
		e, err := eddy.New(c.options)
		if e != nil {
			t.Errorf("options %+v: an engine with an error", c.options)
		}
		says(t, err, append(c.says, "eddy: ")...)
		if after := descriptors(); after != before {
			t.Errorf("options %+v: %d descriptors, %d before", c.options, after, before)
		}
	}
}

// tuner sees the settings of its listener.
type tuner struct {
	greeter
	tune func(s *eddy.Settings) error
}

func (p tuner) Tune(s *eddy.Settings) error { return p.tune(s) }

func settingsOf(t *testing.T, options eddy.Options) (got eddy.Settings) {
	t.Helper()
	e := newEngine(t, options)
	listen(t, e, "tcp", "127.0.0.1:0", tuner{tune: func(s *eddy.Settings) error {
		got = *s
		return nil
	}})
	return got
}

func TestZeroOptionsHaveTheDocumentedDefaults(t *testing.T) {
	want := eddy.Settings{
		LowWater: 32 << 10, HighWater: 64 << 10, MaxOutput: 4 << 20, MaxInput: 1 << 20,
		IdleTimeout: 5 * time.Minute, WriteTimeout: 30 * time.Second,
		LingerTimeout: 5 * time.Second, LingerBytes: 64 << 20, DrainGrace: 500 * time.Millisecond,
	}
	if got := settingsOf(t, eddy.Options{}); got != want {
		t.Errorf("settings %+v, want %+v", got, want)
	}
}

func TestOptionsReachTheConnections(t *testing.T) {
	want := eddy.Settings{
		LowWater: 1, HighWater: 2, MaxOutput: 4, MaxInput: 5,
		IdleTimeout: 5, WriteTimeout: 6, LingerTimeout: 7, LingerBytes: 8, DrainGrace: 9,
	}
	got := settingsOf(t, eddy.Options{
		LowWater: 1, HighWater: 2, MaxOutput: 4, MaxInput: 5,
		IdleTimeout: 5, WriteTimeout: 6, LingerTimeout: 7, LingerBytes: 8, DrainGrace: 9,
	})
	if got != want {
		t.Errorf("settings %+v, want %+v", got, want)
	}
}

// Who raises one mark gets the others to match.
func TestDefaultsFollowHighWater(t *testing.T) {
	got := settingsOf(t, eddy.Options{HighWater: 8 << 20})
	if got.LowWater != 4<<20 || got.MaxOutput != 32<<20 {
		t.Errorf("LowWater %d, MaxOutput %d for a HighWater of 8 MiB, want a half and four times", got.LowWater, got.MaxOutput)
	}
}

func TestTuneMayRefuse(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	refusal := errors.New("these settings will not do")
	ln, err := e.Listen("tcp", "127.0.0.1:0", tuner{tune: func(*eddy.Settings) error { return refusal }})
	if ln != nil || err != refusal {
		t.Errorf("listener %v, error %v, want the refusal", ln, err)
	}
}

func TestTuneIsForOneListener(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	listen(t, e, "tcp", "127.0.0.1:0", tuner{tune: func(s *eddy.Settings) error {
		s.MaxInput = 7
		return nil
	}})
	listen(t, e, "tcp", "127.0.0.1:0", tuner{tune: func(s *eddy.Settings) error {
		if s.MaxInput != 1<<20 {
			t.Errorf("MaxInput %d: another listener's", s.MaxInput)
		}
		return nil
	}})
}

func TestMaxConnsHoldsForAllLoopsTogether(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 3, MaxConns: 2, Logger: slog.New(slog.DiscardHandler)})
	ln := listen(t, e, "tcp", "127.0.0.1:0", greeter("hello"))
	result := run(e)
	for range 10 {
		dial(t, ln.Addr())
	}
	await(t, "two are served and a listener pauses", func() bool {
		s := e.Stats()
		return s.Open() == 2 && s.AcceptPauses > 0
	})
	if got := e.Stats().Accepted; got != 2 {
		t.Errorf("%d accepted, want 2", got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = e.Shutdown(ctx)
	receive(t, result, "Run ends")
}
