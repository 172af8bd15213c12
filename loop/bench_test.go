package loop

import (
	"testing"
	"time"

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
func (p *alwaysReady) Park(time.Duration) ([]poller.Event, error)   { return p.events, nil }
func (p *alwaysReady) Wake() error                                  { return nil }
func (p *alwaysReady) Close() error                                 { return nil }

// stub is a transport whose every read returns the input, and which takes everything.
type stub struct {
	input   []byte
	written int64
}

func (s *stub) Read(p []byte) (int, error) { return copy(p, s.input), nil }
func (s *stub) Write(slices [][]byte) (int, error) {
	n := sizeOf(slices)
	s.written += int64(n)
	return n, nil
}
func (s *stub) Held() (bool, int64) { return false, 0 }
func (s *stub) CloseWrite() error   { return nil }
func (s *stub) Close(bool)          {}

// BenchCycles measures what the engine does for an event, without the system calls:
// each of conns connections of protocol reads input in each cycle, and whatever it
// writes is taken. It returns how many bytes were written for each event.
func BenchCycles(b *testing.B, protocol Protocol, conns int, input []byte) int64 {
	l, err := newReactor(Config{Settings: testSettings()}, 0, newLimit(conns, 0))
	if err != nil {
		b.Fatal(err)
	}
	if err := l.poller.Close(); err != nil {
		b.Fatal(err)
	}
	ready, kernel := &alwaysReady{}, &stub{input: input}
	l.poller = ready
	for range conns {
		c, err := l.AdoptTransport(kernel, nil, nil, protocol)
		if err != nil {
			b.Fatal(err)
		}
		_ = ready.Add(-1, c.token, poller.Readable) // never fails
	}
	b.ReportAllocs()
	events := int64(0)
	for b.Loop() {
		if events%int64(conns) == 0 {
			if err := l.cycle(poller.Forever); err != nil {
				b.Fatal(err)
			}
		}
		events++
	}
	b.StopTimer()
	cycles := (events + int64(conns) - 1) / int64(conns)
	return kernel.written / (cycles * int64(conns))
}
