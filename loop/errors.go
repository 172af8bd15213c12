package loop

import (
	"errors"
	"fmt"
	"runtime/debug"
)

var (
	// ErrClosed: the connection is closing or closed.
	ErrClosed = errors.New("eddy: connection closed")
	// ErrServerClosed: the engine has shut down, or is about to.
	ErrServerClosed = errors.New("eddy: engine closed")
	// ErrOutputFull: the peer reads more slowly than output is written.
	ErrOutputFull = errors.New("eddy: output full: wait for EventWritable before writing more, or raise MaxOutput")
	// ErrInputFull: a protocol left more input unused than Options.MaxInput.
	ErrInputFull = errors.New("eddy: input full: OnData must use its input or PauseRead, or raise MaxInput")
	// ErrInboxFull: more than a million tasks wait for the loop.
	ErrInboxFull = errors.New("eddy: inbox full: post fewer tasks than the loop can run")
	// ErrTimeout: a deadline has passed.
	ErrTimeout = errors.New("eddy: deadline passed")
	// ErrWriteTimeout: the peer did not read its output in time.
	ErrWriteTimeout = errors.New("eddy: peer does not read: write deadline passed")
	// ErrDetached: the connection has left its loop, by Detach.
	ErrDetached = errors.New("eddy: connection detached")

	// ErrGoexit: a callback has called runtime.Goexit, as testing.T.FailNow does.
	ErrGoexit = errors.New("eddy: a callback called runtime.Goexit, which ends its loop: return instead (in a test, t.Error in place of t.Fatal)")

	errUsed      = errors.New("eddy: OnData returned a count below 0 or above the length of its input")
	errFileShort = errors.New("eddy: file ended before the range given to SendFile")
	errNoHandler = errors.New("eddy: the protocol has returned no Handler")
	errNoSocket  = errors.New("eddy: the connection has no socket to detach")
	errFileRange = errors.New("eddy: SendFile was given a negative offset or length")

	errLayerOutput = errors.New("eddy: AddLayer while output is pending, which would pass through the layer: wait until Pending is 0")

	errNoConn     = errors.New("the connection is nil")
	errNoProtocol = errors.New("the protocol is nil")
	errMaxConns   = errors.New("the limit of open connections is reached: raise Options.MaxConns")
)

// PanicError is the cause of the end of a connection whose callback panicked.
type PanicError struct {
	Value any    // of the panic
	Stack []byte // of the loop, at the panic
}

// Error has the value, not the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("eddy: callback panicked: %v", e.Value) }

// Panicked counts and logs a panic that a protocol recovers from itself. Loop only.
func (l *Loop) Panicked(v any) *PanicError {
	l.count.Panics++
	return l.logPanic(v)
}

// logPanic may be called on any goroutine.
func (l *Loop) logPanic(v any) *PanicError {
	err, ok := v.(*PanicError) // of another goroutine, with its own stack
	if !ok {
		err = &PanicError{Value: v, Stack: debug.Stack()}
	}
	// The value is formatted here: the program may go on to change it.
	l.logger.Error("eddy: callback panicked", "panic", fmt.Sprintf("%+v", err.Value), "stack", string(err.Stack))
	return err
}

// call runs fn, which belongs to no connection. A panic is reported.
func (l *Loop) call(fn func()) { guard(fn, l.Panicked) }

func guard(fn func(), report func(v any) *PanicError) {
	defer func() {
		if v := recover(); v != nil {
			_ = report(v) // nobody to close
		}
	}()
	fn()
}
