package http1

import (
	"context"
	"sync"
)

// lifetime is how long an answer is wanted. Its context is made only when somebody
// asks for it. Any goroutine.
type lifetime struct {
	parent context.Context // of ctx; nil is context.Background

	mu    sync.Mutex
	cause error                   // guarded by mu: why it has ended
	ctx   context.Context         // guarded by mu
	stop  context.CancelCauseFunc // guarded by mu
}

func (l *lifetime) context() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx == nil {
		parent := l.parent
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

// end cancels the context. Only the first cause counts.
func (l *lifetime) end(cause error) {
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

// ended is the cause of the end, nil before it.
func (l *lifetime) ended() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}
