package eddy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/eddynet/eddy/asynclog"
	"github.com/eddynet/eddy/loop"
)

// Engine runs protocols on reactor loops. Its methods may be called from any
// goroutine.
type Engine struct {
	options  Options
	log      *asynclog.Handler // of options.Logger
	loops    []*loop.Loop
	watchdog *loop.Watchdog // nil if it is turned off
	dials    atomic.Uint64  // counts Dial, to take the loops in turn
	leaving  atomic.Bool    // Draining
	done     chan struct{}  // closed when the loops have ended

	mu        sync.Mutex
	stage     stage       // guarded by mu
	listeners []*Listener // guarded by mu
	forced    error       // guarded by mu: why connections were cut off
}

// stage is where an engine stands in its life: each leads to the next, and ready
// also to ended.
type stage uint8

const (
	ready stage = iota
	running
	draining
	ended
)

// New returns an engine that listens nowhere yet. It holds two file descriptors for
// each loop until Run returns or Shutdown is called.
func New(options Options) (*Engine, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	e := &Engine{options: options, log: asynclog.New(options.Logger.Handler()), done: make(chan struct{})}
	logger := slog.New(e.log)
	limit := loop.NewLimit(options.MaxConns, options.MaxRefusals)
	if options.SlowCallback > 0 {
		e.watchdog = loop.NewWatchdog(options.SlowCallback)
	}
	for i := range options.Loops {
		l, err := loop.New(loop.Config{
			Logger: logger, Limit: limit, Settings: e.settings(),
			Index: i, Watchdog: e.watchdog,
		})
		if err != nil {
			e.discard()
			return nil, fmt.Errorf("eddy: open a poller: %w", err)
		}
		e.loops = append(e.loops, l)
	}
	return e, nil
}

// Run serves until ctx is cancelled or Shutdown is called, and the drain that
// follows has ended: see Shutdown. It returns nil after a clean drain. After
// cancelling ctx, the drain may take Options.DrainTimeout, from the end of
// Options.DrainDelay on.
func (e *Engine) Run(ctx context.Context) error {
	if err := e.start(); err != nil {
		return err
	}
	unwatch := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.Background(), e.options.DrainDelay+e.options.DrainTimeout)
		defer cancel()
		_ = e.Shutdown(limit) // Run reports it
	})
	defer unwatch()
	defer reclaim()()

	var watching, wait sync.WaitGroup
	stop := make(chan struct{})
	if e.watchdog != nil {
		watching.Go(func() { e.watchdog.Run(e.loops, stop) })
	}
	errs := make([]error, len(e.loops))
	for i, l := range e.loops {
		wait.Go(func() {
			if errs[i] = l.Run(); errs[i] != nil {
				e.force(errs[i]) // the engine stands or falls as one
			}
		})
	}
	wait.Wait()
	close(stop)
	watching.Wait()
	e.flushLog()
	return e.end(errors.Join(errs...))
}

func (e *Engine) start() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch e.stage {
	case ready:
		e.stage = running
		return nil
	case running, draining:
		return errors.New("eddy: Run was called already: an engine runs once")
	}
	return ErrServerClosed
}

// end is reached when no loop runs any more.
func (e *Engine) end(err error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stage = ended
	for _, ln := range e.listeners {
		ln.unlink()
	}
	close(e.done)
	if err == nil {
		err = e.forced
	}
	return err
}

// discard releases what an engine holds that never ran.
func (e *Engine) discard() {
	for _, l := range e.loops {
		l.Discard()
	}
}

// Ping returns nil when every loop has come round to answer, after whatever was given
// to it before. A loop that a callback holds does not, and before Run none does: then
// it returns an error when ctx ends. It returns ErrServerClosed when a loop has ended.
func (e *Engine) Ping(ctx context.Context) error {
	answers := make(chan struct{}, len(e.loops))
	for _, l := range e.loops {
		if err := l.Post(func() { answers <- struct{}{} }); err != nil {
			return err
		}
	}
	for range e.loops {
		select {
		case <-answers:
		case <-ctx.Done():
			return fmt.Errorf("eddy: a loop does not answer: %w", context.Cause(ctx))
		}
	}
	return nil
}

// Stats sums the counts of all loops, each as of its last wait. It waits for none of
// them, and costs less than a microsecond for each: a monitor may ask often. The
// result can be encoded as JSON; durations are in nanoseconds there.
func (e *Engine) Stats() Stats {
	var sum Stats
	for _, l := range e.loops {
		sum = sum.Add(l.Stats())
	}
	sum.LogDropped = e.log.Dropped()
	return sum
}
