// Package lifetime has contexts that are made only when somebody asks for them.
package lifetime

import (
	"context"
	"sync"
)

// Lifetime ends once, for a reason. The zero Lifetime has not ended. Any goroutine.
type Lifetime struct {
	Parent context.Context // of the context; nil is context.Background. It is set before use

	mu    sync.Mutex
	cause error                   // guarded by mu: why it has ended
	ctx   context.Context         // guarded by mu
	stop  context.CancelCauseFunc // guarded by mu
}

// Context is cancelled with the lifetime and with its parent.
func (l *Lifetime) Context() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx == nil {
		parent := l.Parent
		if parent == nil {
			parent = context.Background()
		}
		l.ctx, l.stop = context.WithCancelCause(parent)
		if l.cause != nil {
			l.stop(l.cause)
		}
	}
	return l.ctx
}

// End ends the lifetime. Only the first cause counts.
func (l *Lifetime) End(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause != nil {
		return
	}
	l.cause = cause
	if l.stop != nil {
		l.stop(cause)
	}
}

// Cause is that of the end, nil before it.
func (l *Lifetime) Cause() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}
