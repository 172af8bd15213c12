package main_test

import (
	"flag"
	"slices"
	"syscall"
	"testing"
	"time"
)

// The trials take a while. They log their figures:
//
//	go test ./examples/workers -run Trial -v -long
var long = flag.Bool("long", false, "run the trials too")

func trial(t *testing.T) {
	t.Helper()
	if !*long {
		t.Skip("with -long only")
	}
}

// spread logs the minimum, the median and the maximum of durations.
func spread(t *testing.T, name string, d []time.Duration) {
	t.Helper()
	slices.Sort(d)
	t.Logf("%s: minimum %v, median %v, maximum %v", name, d[0], d[len(d)/2], d[len(d)-1])
}

func TestTrialOfKills(t *testing.T) {
	trial(t)
	const (
		kills, four = 20, 4
		// The oldest of four workers has served for more than a second when it is
		// killed, and is restarted at once.
		every = 500 * time.Millisecond
		back  = time.Second
	)
	s := startMany(t, four, "-max-crashes", "100")
	l := drive(t, s.address, 24, 4, 0)
	var (
		killed []string
		took   []time.Duration
	)
	for range kills {
		time.Sleep(every)
		l.flows(t, 1000)
		victim := s.workers()[0]
		killed = append(killed, victim)
		send(t, victim, syscall.SIGKILL)
		at := time.Now()
		s.await("another worker is ready", func() bool {
			now := s.workers()
			return len(now) == four && !slices.Contains(now, victim)
		})
		took = append(took, time.Since(at))
	}
	l.flows(t, 1000)
	l.stop()
	own, early := 0, 0
	for _, f := range l.failed() {
		switch {
		case !f.dialed:
			t.Errorf("refused: %v", f)
		case f.worker == "":
			early++ // may have been accepted by the killed worker
		case slices.Contains(killed, f.worker):
			own++
		default:
			t.Errorf("on another worker's connection: %v", f)
		}
	}
	if most := slices.Max(took); most > back {
		t.Errorf("a worker was replaced after %v, want at most %v", most, back)
	}
	spread(t, "replacement of a worker", took)
	t.Logf("%d kills, %d responses, %d connections; %d failures on connections of killed workers, %d on new ones, no others",
		kills, l.answered.Load(), l.opened.Load(), own, early)
}

func TestTrialOfReplacements(t *testing.T) {
	trial(t)
	const replacements = 50
	s := startMany(t, 2)
	l := drive(t, s.address, 24, 4, 0)
	var took []time.Duration
	for range replacements {
		l.flows(t, 1000)
		before := s.workers()
		at := time.Now()
		s.Signal(syscall.SIGHUP)
		s.await("the old workers have ended and the new ones are ready", func() bool {
			now := s.workers()
			return len(now) == 2 && !slices.ContainsFunc(now, func(w string) bool { return slices.Contains(before, w) })
		})
		took = append(took, time.Since(at))
	}
	l.flows(t, 1000)
	l.noneFailed(t)
	spread(t, "Replace, including the drain of the old workers", took)
	t.Logf("%d replacements, %d responses, %d connections, %d failures", replacements, l.answered.Load(), l.opened.Load(), len(l.failed()))
	s.Signal(syscall.SIGTERM)
	s.ExitsCleanly()
}
