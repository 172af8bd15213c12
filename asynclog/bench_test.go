package asynclog_test

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/asynclog"
)

func accessLine(l *slog.Logger, target string) {
	l.LogAttrs(context.Background(), slog.LevelInfo, "request",
		slog.String("remote", "127.0.0.1:50124"),
		slog.String("method", "GET"),
		slog.String("target", target),
		slog.Int("status", 200),
		slog.Int64("bytes", 13),
		slog.Duration("duration", 12345*time.Nanosecond))
}

func null(b *testing.B) slog.Handler {
	f, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	return slog.NewTextHandler(f, nil)
}

// The cost of an access log line for the caller, with a pause between batches so that
// the queue is never full.
func BenchmarkAccessLine(b *testing.B) {
	for name, handler := range map[string]slog.Handler{
		"discarded":    discard{},
		"synchronous":  null(b),
		"asynchronous": asynclog.New(null(b)),
	} {
		b.Run(name, func(b *testing.B) {
			l := slog.New(handler)
			b.ReportAllocs()
			before := processor()
			for i := 0; b.Loop(); i++ {
				if i%300 == 299 {
					b.StopTimer()
					time.Sleep(500 * time.Microsecond)
					b.StartTimer()
				}
				accessLine(l, "/plaintext")
			}
			b.ReportMetric(float64(processor()-before)/float64(b.N), "cpu-ns/op")
			if h, ok := handler.(*asynclog.Handler); ok && h.Dropped() > 0 {
				b.Errorf("%d lines dropped", h.Dropped())
			}
		})
	}
}

// processor is the processor time of this process, with all its goroutines.
func processor() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u) // it does not fail
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type discard struct{}

func (discard) Enabled(context.Context, slog.Level) bool  { return true }
func (discard) Handle(context.Context, slog.Record) error { return nil }
func (d discard) WithAttrs([]slog.Attr) slog.Handler      { return d }
func (d discard) WithGroup(string) slog.Handler           { return d }
