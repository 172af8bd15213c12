//go:build unix

// The contract of Wait: wake-ups, timeouts, batches, allocations, descriptors.

package poller_test

import (
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddynet/eddy/poller"
	"golang.org/x/sys/unix"
)

func TestWakeFromAnotherGoroutine(t *testing.T) {
	p := open(t)
	returned := make(chan int, 1)
	go func() {
		events, err := block(p, poller.Forever)
		if err != nil {
			t.Error(err)
		}
		returned <- len(events)
	}()
	time.Sleep(5 * time.Millisecond) // Wait most likely blocks by now; the test is valid either way
	wake(t, p)
	select {
	case n := <-returned:
		if n != 0 {
			t.Errorf("%d events, want none", n)
		}
	case <-time.After(patience):
		t.Fatal("Wait did not return")
	}
}

func TestNoWakeIsLost(t *testing.T) {
	const rounds = 2000
	p := open(t)
	var posted atomic.Int64
	seen := make(chan struct{})
	go func() {
		for range rounds {
			posted.Add(1)
			if err := p.Wake(); err != nil {
				t.Error(err)
			}
			<-seen
		}
	}()
	for round := int64(1); round <= rounds; round++ {
		start := time.Now()
		for posted.Load() < round {
			wait(t, p, patience)
			if time.Since(start) >= patience {
				t.Fatalf("wake-up %d was lost", round)
			}
		}
		seen <- struct{}{}
	}
}

func TestWakeBeforeWait(t *testing.T) {
	p := open(t)
	for _, timeout := range []time.Duration{poller.Forever, math.MaxInt64, time.Hour, 0} {
		wake(t, p)
		if events := wait(t, p, timeout); len(events) != 0 {
			t.Errorf("events %v, want none", events)
		}
	}
}

func TestManyWakesAreOne(t *testing.T) {
	p := open(t)
	for range 100_000 { // more than a pipe holds
		wake(t, p)
	}
	if events := wait(t, p, patience); len(events) != 0 {
		t.Errorf("events %v, want none", events)
	}
	expectFullWait(t, p, 2*time.Millisecond)
}

func TestWakeTogetherWithAnEvent(t *testing.T) {
	p := open(t)
	a, _ := tcpPair(t)
	add(t, p, a, token, poller.Writable)
	wake(t, p)
	expect(t, p, token, poller.Write)
	expect(t, p, token, poller.Write)
	set(t, p, a, token, 0)
	expectFullWait(t, p, 2*time.Millisecond)
}

func TestTimeoutIsNeverEarly(t *testing.T) {
	p := open(t)
	for _, timeout := range []time.Duration{1, 300 * time.Microsecond, time.Millisecond,
		1500 * time.Microsecond, 3*time.Millisecond + 1} {
		expectFullWait(t, p, timeout)
	}
}

// Conditions outside the interest do not end a Wait early, not even with zero events.
func TestWaitIgnoresConditionsOutsideTheInterest(t *testing.T) {
	const timeout = 2 * time.Millisecond
	t.Run("input", func(t *testing.T) {
		for _, interest := range []poller.Interest{0, poller.Hangup} {
			p := open(t)
			a, b := tcpPair(t)
			add(t, p, a, token, interest)
			expectFullWaitAfter(t, p, timeout, func() {
				b.write("x")
				a.awaitPoll(unix.POLLIN)
			})
		}
	})
	t.Run("a full buffer", func(t *testing.T) {
		p := open(t)
		a, b := unixPair(t)
		add(t, p, a, token, poller.Hangup)
		b.fill()
		expectFullWait(t, p, timeout)
	})
	t.Run("an end", func(t *testing.T) {
		p := open(t)
		a, b := tcpPair(t)
		add(t, p, a, token, 0)
		b.shutWrite()
		a.awaitPoll(unix.POLLIN)
		expectFullWait(t, p, timeout)
	})
	t.Run("clients", func(t *testing.T) {
		p := open(t)
		listener, address := tcpListener(t)
		add(t, p, listener, token, 0)
		client := newSocket(t, unix.AF_INET)
		client.must(unix.Connect(client.fd, address))
		listener.awaitPoll(unix.POLLIN)
		expectFullWait(t, p, timeout)
	})
}

func TestZeroTimeoutPolls(t *testing.T) {
	p := open(t)
	a, _ := tcpPair(t)
	if events := wait(t, p, 0); len(events) != 0 {
		t.Errorf("events %v, want none", events)
	}
	add(t, p, a, token, poller.Writable)
	if got := readyNow(t, p, token); got != poller.Write {
		t.Errorf("ready %b, want Write", got)
	}
}

func TestMoreReadyThanOneWaitReturns(t *testing.T) {
	const registrations = 320
	p := open(t)
	for slot := uint32(0); slot < registrations; slot += 2 {
		a, b := unixPair(t)
		add(t, p, a, poller.NewToken(slot, 1), poller.Writable)
		add(t, p, b, poller.NewToken(slot+1, 1), poller.Writable)
	}
	served := map[poller.Token]bool{}
	for range 4 {
		inThisWait := map[poller.Token]bool{}
		events := wait(t, p, patience)
		if len(events) == registrations {
			t.Fatal("one Wait returned everything: the test needs more registrations")
		}
		for _, event := range events {
			if inThisWait[event.Token] {
				t.Fatalf("token %x twice in one Wait", event.Token)
			}
			inThisWait[event.Token] = true
			served[event.Token] = true
		}
	}
	if len(served) != registrations {
		t.Errorf("%d of %d were served in four Waits", len(served), registrations)
	}
}

func TestWaitDoesNotAllocate(t *testing.T) {
	p := open(t)
	a, _ := tcpPair(t)
	add(t, p, a, token, poller.Writable)
	allocations := testing.AllocsPerRun(100, func() {
		p.Wake()
		block(p, 0)
		block(p, time.Millisecond)
		block(p, poller.Forever)
		p.Set(a.fd, token, poller.Readable)
		block(p, 1)
		p.Set(a.fd, token, poller.Writable)
	})
	if allocations != 0 {
		t.Errorf("%v allocations per cycle, want none", allocations)
	}
}

func TestCloseReleasesDescriptors(t *testing.T) {
	a, _ := tcpPair(t)
	before := openDescriptors()
	for range 3 {
		p, err := poller.Open()
		if err != nil {
			t.Fatal(err)
		}
		add(t, p, a, token, poller.Readable)
		if _, err := block(p, time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if after := openDescriptors(); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	if _, err := unix.FcntlInt(uintptr(a.fd), unix.F_GETFD, 0); err != nil {
		t.Errorf("the registered descriptor: %v, want it open", err)
	}
}
