package workers

import (
	"context"
	"errors"
	"sync"
	"time"
)

// crew is a generation of workers, which are started and drained together.
type crew struct {
	supervisor *Supervisor
	draining   context.Context // the supervisor's draining
	retired    context.Context
	retire     context.CancelFunc
	decided    chan struct{} // closed when stage is no longer trial

	mu    sync.Mutex
	stage stage // guarded by mu
	ready int   // guarded by mu: number of workers that have become ready
	err   error // guarded by mu: why the crew was refused
}

// stage is the state of a crew.
type stage uint8

const (
	trial    stage = iota // not all workers are ready yet; exits: accepted, refused
	accepted              // a worker that ends is restarted; no exit
	refused               // a worker ended before all were ready; no exit
)

// startCrew starts a crew. On trial, a worker that ends before all are ready ends the
// crew. The caller holds the supervisor's mu.
func (s *Supervisor) startCrew(onTrial bool) *crew {
	c := &crew{supervisor: s, draining: s.draining, decided: make(chan struct{})}
	c.retired, c.retire = context.WithCancel(context.Background())
	if !onTrial {
		c.stage = accepted
		close(c.decided)
	}
	for range s.options.Workers {
		s.working.Go(c.keep)
	}
	return c
}

// keep keeps one worker running until the crew is retired.
func (c *crew) keep() {
	s := c.supervisor
	delay := backoff{first: s.options.RestartDelay, most: s.options.MaxRestartDelay}
	for {
		served, err := c.runWorker()
		if c.retired.Err() != nil || c.draining.Err() != nil {
			s.drained(err)
			return
		}
		if c.refuse(err) {
			return
		}
		wait := delay.after(served)
		s.options.Logger.Warn("workers: restarting a worker", "after", wait, "error", err)
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

// runWorker starts a worker and waits for its end. It returns how long the worker was
// ready, and why it ended.
func (c *crew) runWorker() (served time.Duration, err error) {
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
		log.Info("workers: a worker is ready", "after", time.Since(p.started))
		c.workerReady()
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
	if err = p.result(); err != nil {
		log = log.With("error", err)
	}
	log.Info("workers: a worker has ended")
	return served, err
}

// workerReady counts a ready worker. The last one ends the trial.
func (c *crew) workerReady() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready++
	if c.stage == trial && c.ready == c.supervisor.options.Workers {
		c.stage = accepted
		close(c.decided)
	}
}

// refuse ends a trial with an error. It reports whether the crew is refused.
func (c *crew) refuse(err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stage == trial {
		c.stage, c.err = refused, err
		close(c.decided)
	}
	return c.stage == refused
}

// outcome waits for the end of the trial, and returns its error.
func (c *crew) outcome(ctx context.Context) error {
	select {
	case <-c.decided:
	case <-ctx.Done():
		c.refuse(context.Cause(ctx))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

var errDraining = errors.New("workers: the supervisor is draining")

var errNotRunning = errors.New("workers: the supervisor is not running: call Replace between the start of Run and its drain")
