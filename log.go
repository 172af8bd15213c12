package eddy

import (
	"context"
	"time"
)

const (
	// logFlushTimeout is how long the engine waits for its last log lines to be written,
	// if its drain has ended in time.
	logFlushTimeout = time.Second
	// lateFlushTimeout is the same after the drain's deadline.
	lateFlushTimeout = 30 * time.Millisecond
)

// flushLog is called when the loops have ended. A log that nobody reads does not hold up
// the end of the program.
func (e *Engine) flushLog() {
	ctx, cancel := context.WithTimeout(context.Background(), logFlushTimeout)
	defer cancel()
	defer context.AfterFunc(e.overdue, func() { time.AfterFunc(lateFlushTimeout, cancel) })()
	_ = e.log.Flush(ctx) // there is nowhere to report it
}
