package main

import (
	"context"
	"slices"
	"time"
)

// prober makes small requests on one connection, one after the other, and measures their
// durations.
type prober struct {
	quit chan struct{}
	done chan struct{}
	took []time.Duration
	err  error
}

// probe starts a prober with a pause of interval between requests.
func probe(ctx context.Context, address string, interval time.Duration) (*prober, error) {
	c, err := dial(ctx, address)
	if err != nil {
		return nil, err
	}
	p := &prober{quit: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		defer c.Close()
		for {
			select {
			case <-p.quit:
				return
			case <-time.After(interval):
			}
			from := time.Now()
			if p.err = c.want(get("/plaintext"), "Hello, World!"); p.err != nil {
				return
			}
			p.took = append(p.took, time.Since(from))
		}
	}()
	return p, nil
}

// stop returns the durations, sorted.
func (p *prober) stop() ([]time.Duration, error) {
	close(p.quit)
	<-p.done
	slices.Sort(p.took)
	return p.took, p.err
}

// quantile returns a quantile of sorted durations, rounded to microseconds.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Round(time.Microsecond)
}
