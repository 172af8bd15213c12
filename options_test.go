package eddy_test

import (
	"context"
	"log/slog"
	"net"
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

// settingsOf is what a protocol finds in a new connection.
func settingsOf(t *testing.T, options eddy.Options) eddy.Settings {
	t.Helper()
	e := newEngine(t, options)
	found := make(chan eddy.Settings, 1)
	ln := listen(t, e, "tcp", "127.0.0.1:0", func(c *eddy.Conn) eddy.Handler {
		found <- *c.Settings()
		return echo{}
	})
	run(e)
	if conn, err := net.DialTimeout("tcp", ln.Addr().String(), patience); err == nil { // a short deadline may be faster
		defer conn.Close()
	}
	return receive(t, found, "a connection is opened")
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

// What a protocol sets holds for its own connections only.
func TestSettingsOfAProtocolAreItsOwn(t *testing.T) {
	e := newEngine(t, eddy.Options{Loops: 1})
	found := make(chan int, 1)
	tunes := listen(t, e, "tcp", "127.0.0.1:0", func(c *eddy.Conn) eddy.Handler {
		s := *c.Settings()
		found <- s.MaxInput
		s.MaxInput = 7
		c.SetSettings(&s)
		return echo{}
	})
	other := listen(t, e, "tcp", "127.0.0.1:0", func(c *eddy.Conn) eddy.Handler {
		found <- c.Settings().MaxInput
		return echo{}
	})
	run(e)
	for _, ln := range []*eddy.Listener{tunes, tunes, other} {
		dial(t, ln.Addr())
		if got := receive(t, found, "a connection is opened"); got != 1<<20 {
			t.Errorf("MaxInput %d: another connection's", got)
		}
	}
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
