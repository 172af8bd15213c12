package workers

import (
	"context"
	"errors"
	"sync"
	"time"
)

// crew is a generation of workers, which starts and drains together.
type crew struct {
	supervisor *Supervisor
	draining   context.Context // the supervisor's
	retired    context.Context
	retire     context.CancelFunc
	settled    chan struct{} // closed when stage is not trial any more

	mu    sync.Mutex
	stage stage // guarded by mu
	ready int   // guarded by mu: workers that have become so, in a trial
	err   error // guarded by mu: why the crew was refused
}

// stage is where a crew stands.
type stage uint8

const (
	trial    stage = iota // it must get ready before it counts; to accepted or refused
	accepted              // a worker that ends is started again
	refused               // a worker has ended before all were ready
)

// enlist starts a crew. With on trial, the first end of a worker is that of the crew,
// until all of them are ready. The supervisor's mu is held.
func (s *Supervisor) enlist(onTrial bool) *crew {
	c := &crew{supervisor: s, draining: s.draining, settled: make(chan struct{})}
	c.retired, c.retire = context.WithCancel(context.Background())
	if !onTrial {
		c.stage = accepted
		close(c.settled)
	}
	for range s.options.Workers {
		s.working.Go(c.keep)
	}
	return c
}

// keep keeps one worker running until the crew is retired.
func (c *crew) keep() {
	s := c.supervisor
	pause := backoff{first: s.options.RestartDelay, most: s.options.MaxRestartDelay}
	for {
		served, err := c.work()
		if c.retired.Err() != nil || c.draining.Err() != nil {
			s.drained(err)
			return
		}
		if c.refuse(err) {
			return
		}
		wait := pause.after(served)
		s.options.Logger.Warn("workers: a worker is started again", "after", wait, "error", err)
		if s.crashed(err) {
			return
		}
		select {
		case <-c.retired.Done():
			return
		case <-time.After(wait):
		}
	}
}

// work starts a worker and stays with it to its end. It returns how long the worker
// was ready, and why it has ended.
func (c *crew) work() (served time.Duration, err error) {
	s := c.supervisor
	var p *process
	s.onSpawner(func() {
		if err = errDraining; c.draining.Err() == nil { // else the listeners are closed
			p, err = s.start()
		}
	})
	if err != nil {
		return 0, err
	}
	log := s.options.Logger.With("pid", p.cmd.Process.Pid)
	log.Info("workers: a worker has started")
	select {
	case <-p.ready:
		ready := time.Now()
		defer func() { served = time.Since(ready) }()
		log.Info("workers: a worker is ready", "after", time.Since(p.begun))
		c.oneMore()
		select {
		case <-p.ended:
		case <-c.retired.Done():
		}
	case <-p.ended:
	case <-c.retired.Done():
	}
	if c.retired.Err() != nil {
		p.retire(s.options.DrainTimeout)
	}
	<-p.ended
	if err = p.verdict(); err != nil {
		log = log.With("error", err)
	}
	log.Info("workers: a worker has ended")
	return served, err
}

// oneMore notes that a worker is ready.
func (c *crew) oneMore() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready++
	if c.stage == trial && c.ready == c.supervisor.options.Workers {
		c.stage = accepted
		close(c.settled)
	}
}

// refuse ends the trial with an error. It says whether the crew is refused.
func (c *crew) refuse(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stage == trial {
		c.stage, c.err = refused, err
		close(c.settled)
	}
	return c.stage == refused
}

// outcome waits for the end of the trial.
func (c *crew) outcome(ctx context.Context) error {
	select {
	case <-c.settled:
	case <-ctx.Done():
		c.refuse(context.Cause(ctx))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

var errDraining = errors.New("workers: the supervisor drains")

var errNotRunning = errors.New("workers: the supervisor does not run: call Replace between the start of Run and its drain")
