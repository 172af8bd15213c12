package workers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// environment is the variable that makes a process a worker.
const environment = "EDDY_WORKER"

// environmentFormat is the form of its value: the number of inherited listeners, and the
// interval of the reports as a time.Duration.
const environmentFormat = "listeners=%d interval=%s"

// The descriptors that a worker inherits.
const (
	ordersFD = 3 + iota
	reportsFD
	firstListenerFD
)

// Worker is this process, if a supervisor has started it.
type Worker struct {
	orders, reports *os.File
	listeners       []*os.File
	interval        time.Duration
}

// ErrSupervisorGone is the cause of the context that Report returns, when the
// supervisor has ended before its workers.
var ErrSupervisorGone = errors.New("workers: the supervisor is gone")

// ErrDrain is the cause of the context that Report returns, when the supervisor has
// ordered the worker to drain.
var ErrDrain = errors.New("workers: the supervisor has ordered a drain")

// Current returns the Worker of this process, or nil if no supervisor has started it. It
// removes the environment variable, so that child processes are no workers. Call it
// once.
func Current() (*Worker, error) {
	value := os.Getenv(environment)
	if value == "" {
		return nil, nil
	}
	if err := os.Unsetenv(environment); err != nil {
		return nil, err
	}
	var (
		n        int
		interval string
	)
	if _, err := fmt.Sscanf(value, environmentFormat, &n, &interval); err != nil {
		return nil, fmt.Errorf("workers: %s is %q, set by something else or by another version of the supervisor: %w", environment, value, err)
	}
	w := &Worker{}
	var err error
	if w.interval, err = time.ParseDuration(interval); err != nil {
		return nil, fmt.Errorf("workers: %s is %q: %w", environment, value, err)
	}
	if w.orders, err = inherited(ordersFD, "orders"); err != nil {
		return nil, err
	}
	if w.reports, err = inherited(reportsFD, "reports"); err != nil {
		return nil, err
	}
	for i := range n {
		f, err := inherited(firstListenerFD+i, fmt.Sprint("listener ", i))
		if err != nil {
			return nil, err
		}
		w.listeners = append(w.listeners, f)
	}
	return w, nil
}

// inherited makes a close-on-exec file of an inherited descriptor.
func inherited(fd int, name string) (*os.File, error) {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
		return nil, fmt.Errorf("workers: descriptor %d, %s, was not inherited: %w", fd, name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Listeners are the sockets of Options.Listeners, in that order, for
// Engine.ListenFile. Close those that the worker does not use: otherwise clients queue
// up there while this worker drains.
func (w *Worker) Listeners() []*os.File { return w.listeners }

// Report starts reporting to the supervisor. Each call of alive that returns nil is a
// report; the first one means ready. alive is called about four times per
// Options.HeartbeatTimeout, one call at a time, and may block if the worker hangs. With
// Engine.Ping, a worker is ready when its loops run, and alive while all of them
// complete cycles.
//
// The returned context is cancelled with ctx, when the supervisor orders a drain, or
// when the supervisor is gone: run the engine with it. Call Report once.
func (w *Worker) Report(ctx context.Context, alive func(context.Context) error) context.Context {
	ctx, end := context.WithCancelCause(ctx)
	go func() {
		n, _ := w.orders.Read(make([]byte, 1)) // the only order is to drain
		if n == 0 {
			end(ErrSupervisorGone)
		}
		end(ErrDrain)
	}()
	go func() {
		for ctx.Err() == nil {
			if alive(ctx) == nil {
				// An error means that the supervisor is gone: the orders have ended too.
				_, _ = w.reports.Write([]byte{1})
			}
			select {
			case <-ctx.Done():
			case <-time.After(w.interval):
			}
		}
	}()
	return ctx
}
