package eddy

import (
	"context"
	"time"
)

// logFlushTimeout is how long Run waits for its last log lines. A log that nobody reads
// must not hold up the end of the program.
const logFlushTimeout = 100 * time.Millisecond

// flushLog is called when the loops have ended.
func (e *Engine) flushLog() {
	ctx, cancel := context.WithTimeout(context.Background(), logFlushTimeout)
	defer cancel()
	_ = e.log.Flush(ctx) // there is nowhere to report it
}
