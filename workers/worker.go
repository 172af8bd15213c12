package workers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// environment is the variable that makes a process a worker. Its value is in the form
// of passed.
const environment = "EDDY_WORKER"

// passed is what a supervisor tells a worker: how many listeners it inherits, and in
// which time, a duration, to report.
const passed = "listeners=%d interval=%s"

// The descriptors that a worker inherits.
const (
	ordersFD = 3 + iota
	reportsFD
	firstListenerFD
)

// Worker is this process, where a supervisor has started it.
type Worker struct {
	orders, reports *os.File
	listeners       []*os.File
	interval        time.Duration
}

// ErrSupervisorGone is the cause of the context that Report returns, when the
// supervisor has ended before its workers.
var ErrSupervisorGone = errors.New("workers: the supervisor is gone")

// ErrDrain is the cause of the context that Report returns, when the supervisor has
// told the worker to drain.
var ErrDrain = errors.New("workers: the supervisor wants this worker to drain")

// Current returns the worker that this process is, or nil if no supervisor has started
// it. Programs that this one starts are none: the environment is cleared of it. Call it
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
	if _, err := fmt.Sscanf(value, passed, &n, &interval); err != nil {
		return nil, fmt.Errorf("workers: %s is %q: it is for supervisors to set, and this one is of another version: %w", environment, value, err)
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

// inherited makes a file of a descriptor that is to go no further.
func inherited(fd int, name string) (*os.File, error) {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
		return nil, fmt.Errorf("workers: descriptor %d, %s, was not inherited: %w", fd, name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Listeners are the sockets of Options.Listeners, in that order, for
// Engine.ListenFile. One that is not used must be closed: clients would queue up at it
// while this worker drains.
func (w *Worker) Listeners() []*os.File { return w.listeners }

// Report begins to report to the supervisor: that the worker is ready, when alive first
// returns nil, and from then on that it lives, each time it does. alive is called a few
// times in Options.HeartbeatTimeout, one call at a time; it need not return when
// something hangs. With Engine.Ping a worker is ready when its loops run, and lives as
// long as all of them go round.
//
// The context that is returned ends with ctx, when the supervisor wants the worker to
// drain, or when the supervisor is gone: run the engine with it. Call Report once.
func (w *Worker) Report(ctx context.Context, alive func(context.Context) error) context.Context {
	ctx, end := context.WithCancelCause(ctx)
	go func() {
		n, _ := w.orders.Read(make([]byte, 1)) // there is one order
		if n == 0 {
			end(ErrSupervisorGone)
		}
		end(ErrDrain)
	}()
	go func() {
		for ctx.Err() == nil {
			if alive(ctx) == nil {
				// An error says that the supervisor is gone: the orders have ended too.
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
