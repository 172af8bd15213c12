package loop

import (
	"log/slog"

	"github.com/eddynet/eddy/asynclog"
)

// Logger is the engine's, whose handler is an asynclog.Handler: it never waits for the
// output. Any goroutine.
func (l *Loop) Logger() *slog.Logger { return l.logger }

// AsyncLogger returns a logger for the records of log that never waits for the output:
// they use the queue of the engine's Logger, and the engine flushes it at the end of Run.
// A log whose handler is an asynclog.Handler already keeps its own queue, which the
// program flushes. A protocol that logs on the loop should call this in Bind. Any
// goroutine.
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
