package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/eddynet/eddy/bench/proc"
)

// turn is a peer's measurement in each round of a scenario.
type turn struct {
	peer, tool string
	swapped    bool // the server runs on the processors of the load, and the other way round
}

func (b *bench) turns(s scenario) (list []turn) {
	assignments := []bool{false}
	if b.swap {
		assignments = append(assignments, true)
	}
	for _, swapped := range assignments {
		for _, peer := range s.peers {
			for _, tool := range b.tools(s) {
				list = append(list, turn{peer, tool, swapped})
			}
		}
	}
	return list
}

// round returns the turns in the random order of the next round. Those of one assignment
// stay together, since ratios are computed among them.
func (b *bench) round(s scenario) []turn {
	list := b.turns(s)
	b.order.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	first := list[0].swapped
	slices.SortStableFunc(list, func(x, y turn) int {
		switch {
		case x.swapped == y.swapped:
			return 0
		case x.swapped == first:
			return -1
		}
		return 1
	})
	return list
}

// assigned returns the bench on one assignment of the processors. It moves this process
// to those of the load, where it does not disturb the server.
func (b *bench) assigned(swapped bool) (*bench, error) {
	on := *b
	if swapped {
		on.serverCPUs, on.clientCPUs = b.clientCPUs, b.serverCPUs
	}
	return &on, proc.Pin(on.clientCPUs)
}

// eachConnection is the estimated time to open and close a connection.
const eachConnection = 100 * time.Microsecond

// planned is the estimated duration of a run.
func (b *bench) planned(s scenario, tool string) time.Duration {
	if s.protocol == "parser" {
		return time.Duration(len(parserRequests())) * 2 * parsing // the testing package first determines b.N
	}
	d := s.length(b.duration, tool) + warmUp + 200*time.Millisecond + s.wait + s.connecting
	return d + time.Duration(s.connections+s.holders)*eachConnection
}

// plan returns the number of runs and their estimated duration.
func (b *bench) plan() (runs int, planned time.Duration) {
	for _, s := range b.scenarios {
		for _, t := range b.turns(s) {
			runs += b.rounds
			planned += time.Duration(b.rounds) * b.planned(s, t.tool)
		}
		if b.calls && !s.uncounted {
			runs += len(s.peers)
			planned += time.Duration(len(s.peers)) * s.counting()
		}
	}
	return runs, planned
}

// all measures every scenario. It calls keep after each of them, so that an
// interrupted measurement has results.
func (b *bench) all(ctx context.Context, r *report, keep func() error) error {
	runs, planned := b.plan()
	fmt.Fprintf(os.Stderr, "%d runs, about %v\n", runs, planned.Round(time.Second))
	p := newProgress(os.Stderr, runs, planned)
	checked := map[string]bool{}
	for _, s := range b.scenarios {
		if err := b.verifyPeers(s, checked); err != nil {
			return err
		}
		if err := b.scenario(ctx, s, r, p); err != nil {
			return err
		}
		if err := keep(); err != nil {
			return err
		}
	}
	return nil
}

// scenario measures the peers of one scenario in random order, round by round.
func (b *bench) scenario(ctx context.Context, s scenario, r *report, p *progress) error {
	if s.share > 0 {
		if err := b.setRate(&s, r); err != nil {
			return err
		}
	}
	for round := range b.rounds {
		for _, t := range b.round(s) {
			on, err := b.assigned(t.swapped)
			if err != nil {
				return err
			}
			one, err := on.measure(s, t, round+1)
			if err := errors.Join(interrupted(ctx), err); err != nil {
				return err
			}
			r.Runs = append(r.Runs, one)
			p.show(s, one, b.planned(s, t.tool), time.Now())
		}
	}
	if !b.calls || s.uncounted {
		return nil
	}
	on, err := b.assigned(false)
	if err != nil {
		return err
	}
	for _, peer := range s.peers {
		one, err := on.countCalls(s, peer, countedTime)
		if err := errors.Join(interrupted(ctx), err); err != nil {
			return err
		}
		r.Runs = append(r.Runs, one)
		p.show(s, one, s.counting(), time.Now())
	}
	return nil
}

// setRate sets the rate of an open loop to a share of the rate that eddy reaches in a
// closed loop of the same requests.
func (b *bench) setRate(s *scenario, r *report) error {
	on, err := b.assigned(false)
	if err != nil {
		return err
	}
	closed, err := on.measure(*s, turn{peer: "eddy", tool: "load"}, 0)
	if err != nil {
		return err
	}
	if closed.Void != "" {
		return fmt.Errorf("%s: the rate of eddy is unknown: %s", s.Name, closed.Void)
	}
	s.rate = math.Round(s.share * closed.Sample.Rate())
	r.note(fmt.Sprintf("%s: eddy reaches %.0f requests per second, all peers get %.0f.", s.Name, closed.Sample.Rate(), s.rate))
	return nil
}

// interrupted returns an error after a signal. The current run is void then.
func interrupted(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return errors.New("interrupted: only complete scenarios are kept")
}

// verifyPeers performs once per peer the checks that take too long for every run.
func (b *bench) verifyPeers(s scenario, checked map[string]bool) error {
	if s.protocol != "" {
		return nil // verified in every run, if at all
	}
	for _, peer := range s.peers {
		if checked[peer] {
			continue
		}
		checked[peer] = true
		v, err := b.start(s, peer)
		if err != nil {
			return err
		}
		err = verifyOnce(s, peer, v.address)
		v.stop()
		if err != nil {
			return fmt.Errorf("%s, %s: %w", s.Name, peer, err)
		}
	}
	return nil
}

// withoutFloor removes the floor, which needs a C compiler.
func withoutFloor(list []scenario) []scenario {
	list = slices.Clone(list)
	for i, s := range list {
		list[i] = s.keeping(func(peer string) bool { return peer != "floor" })
	}
	return slices.DeleteFunc(list, func(s scenario) bool { return len(s.peers) == 0 })
}
