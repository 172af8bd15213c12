package main

import "time"

// busyNeighbours are one that uploads and one that pipelines, both as fast as the
// only loop takes it, while a third asks now and then.
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
	t.info("neighbours send, per second", size(after.BytesRead-before.BytesRead)/10)
	t.info("neighbours are sent, per second", size(after.BytesWritten-before.BytesWritten)/10)
	t.info("the third's requests", len(took))
	t.info("the third's median", quantile(took, 0.5))
	atMost(t, "the third's p99", quantile(took, 0.99), 20*time.Millisecond)
	t.info("the third's worst", quantile(took, 1))
	return nil
}
