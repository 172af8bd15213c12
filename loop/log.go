package loop

import (
	"log/slog"

	"github.com/eddynet/eddy/asynclog"
)

// Logger is the engine's, whose handler is an asynclog.Handler: it never waits for its
// output. Any goroutine.
func (l *Loop) Logger() *slog.Logger { return l.logger }

// AsyncLogger returns a logger that writes what log writes, and never waits for its
// output: records use the queue of the engine's Logger, which is flushed at the end of
// Run. If the handler of log is an asynclog.Handler already, it keeps its own queue, and
// the program flushes that. A protocol with a log of its own should call this in Bind,
// once for each loop. Any goroutine.
func (l *Loop) AsyncLogger(log *slog.Logger) *slog.Logger {
	return slog.New(asynclog.New(l.logger.Handler()).Share(log.Handler()))
}

// errorAttr is the attribute of an error. Handlers leave out the zero value, which stands
// for none.
func errorAttr(err error) slog.Attr {
	if err == nil {
		return slog.Attr{}
	}
	return slog.Any("error", err)
}
