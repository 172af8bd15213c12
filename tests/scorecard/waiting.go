package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"
)

// manyStreams reads 5,000 responses in three pieces with gaps of a second.
func manyStreams(t *trial) error {
	const clients, gap = 5000, time.Second
	s, err := t.start()
	if err != nil {
		return err
	}
	crowd, err := dialMany(t.ctx, s.address, clients, dial)
	if err != nil {
		return err
	}
	defer closeAll(crowd)
	// Times of the first and the last piece, from the request.
	begins, ends := make([]time.Duration, clients), make([]time.Duration, clients)
	request := get(fmt.Sprintf("/stream?gap=%d", gap.Milliseconds()))
	err = parallel(clients, func(i int) error {
		from := time.Now()
		if err := crowd[i].send(request); err != nil {
			return err
		}
		r, err := crowd[i].head()
		if err != nil {
			return err
		}
		start := make([]byte, len("START"))
		if _, err := io.ReadFull(r.Body, start); err != nil {
			return err
		}
		begins[i] = time.Since(from)
		rest, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		ends[i] = time.Since(from)
		if text := string(start) + string(rest); text != "STARTMIDDLEEND" {
			return fmt.Errorf("stream %d: %q", i, text)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(begins)
	slices.Sort(ends)
	atMost(t, "5,000 streams: last first piece after", begins[clients-1].Round(time.Millisecond), gap)
	within(t, "5,000 streams: first end after", ends[0], 2*gap, 2*gap+gap/2)
	within(t, "5,000 streams: last end after", ends[clients-1], 2*gap, 3*gap)
	return nil
}

// closingClients close while they wait for a response.
func closingClients(t *trial) error {
	const clients = 1000
	s, err := t.start()
	if err != nil {
		return err
	}
	before, err := s.number("/gone")
	if err != nil {
		return err
	}
	crowd, err := t.crowd(s, "/wait", clients)
	if err != nil {
		return err
	}
	defer closeAll(crowd)
	waiting, err := s.number("/count")
	if err != nil {
		return err
	}
	equal(t, "1,000 closing clients: waiting", waiting, clients)
	from := time.Now()
	if err := disconnect(crowd); err != nil {
		return err
	}
	gone, left := 0, clients
	for time.Since(from) < 2*time.Second && (gone < clients || left > 0) {
		if gone, err = s.number("/gone"); err != nil {
			return err
		}
		gone -= before
		if left, err = s.number("/count"); err != nil {
			return err
		}
	}
	equal(t, "1,000 closing clients: noticed", gone, clients)
	equal(t, "1,000 closing clients: still waiting", left, 0)
	t.info("1,000 closing clients: noticed within", time.Since(from).Round(time.Millisecond))
	return nil
}

// closingNetHTTPClients close while a net/http handler writes without end and checks only
// the error of Write.
func closingNetHTTPClients(t *trial) error {
	const clients = 200
	s, err := t.start()
	if err != nil {
		return err
	}
	crowd, err := t.crowd(s, "/std/ticks", clients)
	if err != nil {
		return err
	}
	defer closeAll(crowd)
	if err := disconnect(crowd); err != nil {
		return err
	}
	ended := 0
	for from := time.Now(); ended < clients && time.Since(from) < 5*time.Second; {
		if ended, err = s.number("/std/ticks-ended"); err != nil {
			return err
		}
	}
	equal(t, "200 closing clients: net/http handlers ended by an error of Write", ended, clients)
	return nil
}

// slowAnswers runs wrk with 1,000 connections on handlers that take 200 ms.
func slowAnswers(t *trial) error {
	if !t.has("wrk", "1,000 clients of slow answers") {
		return nil
	}
	s, err := t.start()
	if err != nil {
		return err
	}
	for _, path := range []string{"/sleep?ms=200", "/block?ms=200"} {
		out, err := t.command("wrk", "-c", "1000", "-d", "10", "-t", "2", "--timeout", "5", "http://"+s.address+path)
		if err != nil {
			return fmt.Errorf("wrk: %w: %s", err, out)
		}
		t.info(path+": responses per second, of 5,000 possible", wrkRate(out))
		equal(t, path+": errors", wrkTrouble(out), "none")
	}
	return nil
}

// quickDuringSlow measures quick responses during slow ones that do not block the loop.
func quickDuringSlow(t *trial) error {
	const clients = 500
	s, err := t.start("-loops", "1")
	if err != nil {
		return err
	}
	crowd, err := dialMany(t.ctx, s.address, clients, dial)
	if err != nil {
		return err
	}
	defer closeAll(crowd)
	p, err := probe(t.ctx, s.address, time.Millisecond)
	if err != nil {
		return err
	}
	err = parallel(clients, func(i int) error {
		time.Sleep(rand.N(200 * time.Millisecond))
		for range 5 {
			if err := crowd[i].want(get("/block?ms=200"), "blocked"); err != nil {
				return err
			}
		}
		return nil
	})
	took, perr := p.stop()
	if err != nil || perr != nil {
		return fmt.Errorf("%w, %w", err, perr)
	}
	atMost(t, "quick responses during 500 blocking ones, p99", quantile(took, 0.99), 50*time.Millisecond)
	return nil
}
