package main

import "time"

// busyNeighbours runs an upload and a pipeline at full speed on the only loop, and
// measures the requests of a third client.
func busyNeighbours(t *trial) error {
	s, err := t.start("-loops", "1")
	if err != nil {
		return err
	}
	var stops []func() error
	for _, name := range []string{"upload", "pipeline"} {
		stop, err := t.load(name, s.address)
		if err != nil {
			return err
		}
		stops = append(stops, stop)
	}
	if err := t.pause(500 * time.Millisecond); err != nil {
		return err
	}
	before, err := s.stats()
	if err != nil {
		return err
	}
	p, err := probe(t.ctx, s.address, 2*time.Millisecond)
	if err != nil {
		return err
	}
	err = t.pause(10 * time.Second)
	took, perr := p.stop()
	after, serr := s.stats()
	for _, stop := range stops {
		if e := stop(); err == nil {
			err = e
		}
	}
	for _, e := range []error{perr, serr} {
		if err == nil {
			err = e
		}
	}
	if err != nil {
		return err
	}
	t.info("received from neighbours, per second", size(after.BytesRead-before.BytesRead)/10)
	t.info("sent to neighbours, per second", size(after.BytesWritten-before.BytesWritten)/10)
	t.info("third client: requests", len(took))
	t.info("third client: median", quantile(took, 0.5))
	atMost(t, "third client: p99", quantile(took, 0.99), 20*time.Millisecond)
	t.info("third client: maximum", quantile(took, 1))
	return nil
}
