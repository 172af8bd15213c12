package eddy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/eddynet/eddy/asynclog"
	"github.com/eddynet/eddy/internal/reclaim"
	"github.com/eddynet/eddy/internal/watchdog"
	"github.com/eddynet/eddy/loop"
)

// Engine runs protocols on reactor loops. Any goroutine.
type Engine struct {
	options  Options
	log      *asynclog.Handler // of options.Logger
	loops    []*loop.Reactor
	watchdog *watchdog.Watchdog // nil if it is turned off
	dials    atomic.Uint64      // counts Dial, to take the loops in turn
	serving  context.Context    // until Shutdown is called
	leave    context.CancelFunc // ends serving
	overdue  context.Context    // it ends forceTimeout after force: nothing is waited for any more
	hurry    context.CancelFunc // of overdue
	done     chan struct{}      // closed when the engine has ended

	mu        sync.Mutex      // no callback of the program runs while it is held
	stage     stage           // guarded by mu
	listeners []*Listener     // guarded by mu: those that are open
	active    []*loop.Reactor // guarded by mu: those that have not ended
	err       error           // guarded by mu until done is closed: the result of Run and Shutdown
}

// stage is where an engine stands: each leads to the next, the first three also to forced.
type stage uint8

const (
	ready    stage = iota
	running        // Run was called
	draining       // Shutdown was called
	forced         // connections are being cut off
	ended
)

// New returns an engine that listens nowhere yet. It holds up to three file descriptors for each
// loop until Run returns or Shutdown is called.
func New(options Options) (*Engine, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	e := &Engine{options: options, log: asynclog.New(options.Logger.Handler()), done: make(chan struct{})}
	e.serving, e.leave = context.WithCancel(context.Background())
	e.overdue, e.hurry = context.WithCancel(context.Background())
	if options.SlowCallback > 0 {
		e.watchdog = watchdog.New(options.SlowCallback)
	}
	e.loops, err = loop.New(loop.Config{
		Loops: options.Loops, Logger: slog.New(e.log), Settings: options.settings(), Watchdog: e.watchdog,
		MaxConns: options.MaxConns, MaxRefusals: options.MaxRefusals,
	})
	if err != nil {
		return nil, err
	}
	e.active = slices.Clone(e.loops)
	return e, nil
}

// Run serves until ctx is cancelled or Shutdown is called, and the drain that follows has ended:
// see Shutdown. It returns nil after a clean drain. After cancelling ctx, the drain may take
// Options.DrainTimeout, from the end of Options.DrainDelay on. Then connections are cut off, and
// Run returns an error within 0.2 s. If a callback blocks its loop, the error is a *BlockedError,
// and the loop ends when the callback returns.
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
	e.run()
	return e.err
}

func (e *Engine) run() {
	var loops, helpers sync.WaitGroup
	stop := make(chan struct{})
	helpers.Go(func() { reclaim.Run(stop) })
	if e.watchdog != nil {
		watched := make([]watchdog.Loop, len(e.loops))
		for i, l := range e.loops {
			watched[i] = l
		}
		helpers.Go(func() { e.watchdog.Run(watched, stop) })
	}
	for _, l := range e.loops {
		loops.Go(func() {
			err := loop.ErrGoexit // unless Run returns
			defer func() {
				e.mu.Lock()
				e.active = slices.DeleteFunc(e.active, func(other *loop.Reactor) bool { return other == l })
				e.mu.Unlock()
				if err != nil {
					e.force(err) // one loop's failure stops the engine
				}
			}()
			err = l.Run()
		})
	}
	e.end(func() {
		loops.Wait()
		close(stop)
		helpers.Wait()
	})
}

func (e *Engine) start() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch e.stage {
	case ready:
	case running, draining:
		return errors.New("eddy: Run was called already: an engine runs once")
	default:
		return ErrServerClosed
	}
	e.stage = running
	for _, ln := range e.listeners {
		_ = ln.start() // no loop has ended before it runs
	}
	return nil
}

// Ping returns nil when every loop has answered, after the tasks posted before. A loop does not
// while a callback blocks it, or before Run: then the error comes with the end of ctx. It returns
// ErrServerClosed when a loop has ended.
func (e *Engine) Ping(ctx context.Context) error {
	return e.ask(ctx, func(l *loop.Reactor, answer func()) error { return l.Post(answer) })
}

// ask waits until all loops have answered what post sends them.
func (e *Engine) ask(ctx context.Context, post func(l *loop.Reactor, answer func()) error) error {
	answers := make(chan struct{}, len(e.loops))
	for _, l := range e.loops {
		if err := post(l, func() { answers <- struct{}{} }); err != nil {
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

// Stats sums the counts of all loops, each as of its last wait. It waits for none, and costs less
// than a microsecond for each. It can be encoded as JSON, with durations in nanoseconds.
func (e *Engine) Stats() Stats {
	var sum Stats
	for _, l := range e.loops {
		sum = sum.Add(l.Stats())
	}
	sum.LogDropped = e.log.Dropped()
	return sum
}
