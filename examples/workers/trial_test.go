package main_test

import (
	"flag"
	"slices"
	"syscall"
	"testing"
	"time"
)

// The trials take a while, and tell their figures:
//
//	go test ./examples/workers -run Trial -v -long
var long = flag.Bool("long", false, "run the trials too")

func trial(t *testing.T) {
	t.Helper()
	if !*long {
		t.Skip("with -long only")
	}
}

// spread is the least, the middle and the greatest of durations.
func spread(t *testing.T, what string, d []time.Duration) {
	t.Helper()
	slices.Sort(d)
	t.Logf("%s: at least %v, in the middle %v, at most %v", what, d[0], d[len(d)/2], d[len(d)-1])
}

func TestTrialOfKills(t *testing.T) {
	trial(t)
	const (
		kills, four = 20, 4
		// The eldest of four has served for longer than a second by its turn, and so is
		// started again at once.
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
		s.await("another one is there", func() bool {
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
			early++ // it may have been with the killed one
		case slices.Contains(killed, f.worker):
			own++
		default:
			t.Errorf("on another worker's connection: %v", f)
		}
	}
	if most := slices.Max(took); most > back {
		t.Errorf("a worker was back after %v, want %v", most, back)
	}
	spread(t, "a worker was back after", took)
	t.Logf("%d kills, %d answers, %d connections; %d failed on connections of the killed, %d on new ones, none otherwise",
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
		s.await("the old ones have ended, and new ones are there", func() bool {
			now := s.workers()
			return len(now) == 2 && !slices.ContainsFunc(now, func(w string) bool { return slices.Contains(before, w) })
		})
		took = append(took, time.Since(at))
	}
	l.flows(t, 1000)
	l.noneFailed(t)
	spread(t, "a replacement, with the drain of the old ones, took", took)
	t.Logf("%d replacements, %d answers, %d connections, %d failures", replacements, l.answered.Load(), l.opened.Load(), len(l.failed()))
	s.Signal(syscall.SIGTERM)
	s.ExitsCleanly()
}
