package loop

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/poller"
)

// alwaysReady is a poller all of whose registrations are readable at each wait.
type alwaysReady struct{ events []poller.Event }

func (p *alwaysReady) Add(_ int, token poller.Token, _ poller.Interest) error {
	p.events = append(p.events, poller.Event{Token: token, Ready: poller.Read})
	return nil
}

func (p *alwaysReady) Set(int, poller.Token, poller.Interest) error { return nil }
func (p *alwaysReady) Delete(int) error                             { return nil }
func (p *alwaysReady) Wait(time.Duration) ([]poller.Event, error)   { return p.events, nil }
func (p *alwaysReady) Wake() error                                  { return nil }
func (p *alwaysReady) Close() error                                 { return nil }

// BenchCycles measures what the engine does for an event, without the system calls:
// each of conns connections of protocol reads input in each cycle, and whatever it
// writes is taken. It returns how many bytes were written for each event.
func BenchCycles(b *testing.B, protocol Protocol, conns int, input []byte) int64 {
	l, err := New(Config{Limit: NewLimit(conns, 0)})
	if err != nil {
		b.Fatal(err)
	}
	if err := l.poller.Close(); err != nil {
		b.Fatal(err)
	}
	l.poller = &alwaysReady{}
	written := int64(0)
	l.calls.read = func(_ int, p []byte) (int, unix.Errno) { return copy(p, input), 0 }
	l.calls.write = func(_ int, p []byte) (int, unix.Errno) {
		written += int64(len(p))
		return len(p), 0
	}
	settings := testSettings()
	service := &Service{loop: l, protocol: bind(protocol, l), settings: &settings}
	for range conns {
		l.limit.served.take()
		l.open(-1, endpoint{}, service)
	}
	b.ReportAllocs()
	events := int64(0)
	for b.Loop() {
		if events%int64(conns) == 0 {
			if err := l.cycle(); err != nil {
				b.Fatal(err)
			}
		}
		events++
	}
	b.StopTimer()
	cycles := (events + int64(conns) - 1) / int64(conns)
	return written / (cycles * int64(conns))
}
