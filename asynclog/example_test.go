package asynclog_test

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/eddynet/eddy/asynclog"
)

func ExampleHandler() {
	handler := asynclog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{} // the same output each time
			}
			return a
		},
	}))
	slog.New(handler).Info("listening", "address", "127.0.0.1:8080") // does not wait

	// At the end of the program. The timeout is for a log that nobody reads.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := handler.Flush(ctx); err != nil {
		os.Exit(1)
	}
	// Output: level=INFO msg=listening address=127.0.0.1:8080
}
