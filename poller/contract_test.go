//go:build unix

// The contract in poller.go, tested on this platform's backend through its
// exported API only.

package poller_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/eddynet/eddy/poller"
	"golang.org/x/sys/unix"
)

const (
	patience = 10 * time.Second // bounds every wait; a passing test never reaches it
	token    = poller.Token(7)
)

func TestReadinessIsLevelTriggered(t *testing.T) {
	p := open(t)
	a, b := tcpPair(t)
	add(t, p, a, token, poller.Readable)
	expectNothing(t, p)

	b.write("hello")
	for range 3 {
		expect(t, p, token, poller.Read)
	}
	a.read(5)
	expectNothing(t, p)
}

func TestReadAndWriteAreOneEvent(t *testing.T) {
	p := open(t)
	a, b := tcpPair(t)
	b.write("x")
	a.awaitPoll(unix.POLLIN)
	add(t, p, a, token, poller.Readable|poller.Writable)
	for range 3 {
		events := wait(t, p, patience)
		if len(events) != 1 || events[0] != (poller.Event{Token: token, Ready: poller.Read | poller.Write}) {
			t.Fatalf("events %v, want one with Read and Write", events)
		}
	}
}

// Every change of interest, on a socket with unread input and room for output.
func TestInterestChanges(t *testing.T) {
	const all = poller.Readable | poller.Writable | poller.Hangup
	p := open(t)
	a, b := tcpPair(t)
	b.write("x")
	a.awaitPoll(unix.POLLIN)
	add(t, p, a, token, 0)
	for from := poller.Interest(0); from <= all; from++ {
		for to := poller.Interest(0); to <= all; to++ {
			set(t, p, a, token, from)
			set(t, p, a, token, to)
			var want poller.Ready
			if to&poller.Readable != 0 {
				want |= poller.Read
			}
			if to&poller.Writable != 0 {
				want |= poller.Write
			}
			for range 2 {
				if got := readyNow(t, p, token); got != want {
					t.Fatalf("interest %b to %b: ready %b, want %b", from, to, got, want)
				}
			}
		}
	}
}

func TestSetReplacesTheToken(t *testing.T) {
	p := open(t)
	a, _ := tcpPair(t)
	add(t, p, a, token, poller.Writable)
	set(t, p, a, token+1, poller.Writable)
	expect(t, p, token+1, poller.Write)
}

func TestTokenIsReturnedUnchanged(t *testing.T) {
	p := open(t)
	numbers := []uint32{0, 1, math.MaxInt32, 1 << 31, math.MaxUint32 - 1, math.MaxUint32}
	for _, slot := range numbers {
		for _, generation := range numbers {
			given := poller.NewToken(slot, generation)
			if given.Slot() != slot || given.Generation() != generation {
				t.Fatalf("NewToken(%d, %d) holds %d, %d", slot, generation, given.Slot(), given.Generation())
			}
			if given == math.MaxUint64 {
				continue // reserved for the poller
			}
			a, _ := unixPair(t)
			add(t, p, a, given, poller.Writable)
			expect(t, p, given, poller.Write)
			a.close()
		}
	}
}

func TestDataThenEnd(t *testing.T) {
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			p := open(t)
			a, b := pair(t)
			add(t, p, a, token, poller.Readable)
			b.write("last words")
			b.shutWrite()
			for range 3 { // while bytes are unread
				expect(t, p, token, poller.Read|poller.ReadClosed)
			}
			a.read(len("last words"))
			for range 3 { // and when only the end is left
				expect(t, p, token, poller.Read|poller.ReadClosed)
			}
			a.read(0)
		})
	}
}

func TestHangupAlone(t *testing.T) {
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			p := open(t)
			a, b := pair(t)
			add(t, p, a, token, poller.Hangup)
			b.write("unread")
			a.awaitPoll(unix.POLLIN)
			expectNothing(t, p)
			b.shutWrite()
			for range 3 {
				expect(t, p, token, poller.ReadClosed)
			}
		})
	}
}

// Some kernels lower SO_RCVLOWAT to the size of the buffer.
func TestHangupAfterAFullBuffer(t *testing.T) {
	p := open(t)
	a, b := unixPair(t)
	b.fill()
	add(t, p, a, token, poller.Hangup)
	expectNothing(t, p)
	b.shutWrite()
	for range 3 {
		expect(t, p, token, poller.ReadClosed)
	}
}

func TestEndUnderZeroInterestIsReportedLater(t *testing.T) {
	p := open(t)
	a, b := tcpPair(t)
	add(t, p, a, token, 0)
	b.shutWrite()
	a.awaitPoll(unix.POLLIN)
	expectNothing(t, p)
	set(t, p, a, token, poller.Writable)
	expect(t, p, token, poller.Write)
	for _, interest := range []poller.Interest{poller.Hangup, 0, poller.Hangup} {
		set(t, p, a, token, interest)
		for range 2 {
			if interest == 0 {
				expectNothing(t, p)
			} else {
				expect(t, p, token, poller.ReadClosed)
			}
		}
	}
	set(t, p, a, token, poller.Readable)
	expect(t, p, token, poller.Read|poller.ReadClosed)
}

// A lingering connection: our side has shut its output, then the peer closes.
func TestLingeringConnectionReadsTheEnd(t *testing.T) {
	p := open(t)
	a, b := tcpPair(t)
	add(t, p, a, token, poller.Readable)
	a.shutWrite()
	b.awaitPoll(unix.POLLIN)
	expectNothing(t, p)
	b.write("late")
	b.close()
	expect(t, p, token, poller.Read|poller.ReadClosed)
	a.read(4)
	expect(t, p, token, poller.Read|poller.ReadClosed)
	a.read(0)
}

func TestResetIsReportedUnderEveryInterest(t *testing.T) {
	for interest := poller.Interest(0); interest <= poller.Readable|poller.Writable|poller.Hangup; interest++ {
		p := open(t)
		a, b := tcpPair(t)
		add(t, p, a, token, interest)
		b.reset()
		for range 3 { // level-triggered as well
			expectAtLeast(t, p, token, poller.Failed)
		}
		if _, err := unix.Read(a.fd, make([]byte, 1)); err != unix.ECONNRESET {
			t.Errorf("interest %b: read after Failed: %v, want ECONNRESET", interest, err)
		}
	}
}

func TestResetAfterAnUnseenEnd(t *testing.T) {
	p := open(t)
	a, b := tcpPair(t)
	add(t, p, a, token, 0)
	b.shutWrite()
	a.awaitPoll(unix.POLLIN)
	expectNothing(t, p)
	b.reset()
	for range 3 {
		expectAtLeast(t, p, token, poller.Failed)
	}
}

func TestConnect(t *testing.T) {
	listener, address := tcpListener(t)
	p := open(t)
	a := newSocket(t, unix.AF_INET)
	a.nonblock()
	if err := unix.Connect(a.fd, address); err != nil && err != unix.EINPROGRESS {
		t.Fatal(err)
	}
	add(t, p, a, token, poller.Writable)
	expect(t, p, token, poller.Write)
	set(t, p, a, token, 0)
	add(t, p, listener, token+1, poller.Readable)
	expect(t, p, token+1, poller.Read)
}

func TestRefusedConnect(t *testing.T) {
	_, address := tcpBound(t) // bound, but not listening
	p := open(t)
	a := newSocket(t, unix.AF_INET)
	a.nonblock()
	switch err := unix.Connect(a.fd, address); err {
	case unix.EINPROGRESS:
	case unix.ECONNREFUSED:
		t.Skip("connect(2) was refused synchronously")
	default:
		t.Fatal(err)
	}
	add(t, p, a, token, poller.Writable)
	for range 3 {
		expectAtLeast(t, p, token, poller.Write|poller.Failed)
	}
	cause, err := unix.GetsockoptInt(a.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil || unix.Errno(cause) != unix.ECONNREFUSED {
		t.Errorf("SO_ERROR %v, %v, want ECONNREFUSED", unix.Errno(cause), err)
	}
}

func TestListenerCanBeDisarmed(t *testing.T) {
	p := open(t)
	listener, address := tcpListener(t)
	add(t, p, listener, token, poller.Readable)
	expectNothing(t, p)
	client := newSocket(t, unix.AF_INET)
	if err := unix.Connect(client.fd, address); err != nil {
		t.Fatal(err)
	}
	expect(t, p, token, poller.Read)
	set(t, p, listener, token, 0)
	expectNothing(t, p)
	set(t, p, listener, token, poller.Readable)
	expect(t, p, token, poller.Read)
}

func TestDeleteEndsEvents(t *testing.T) {
	for _, interest := range []poller.Interest{0, poller.Hangup, poller.Readable, poller.Readable | poller.Writable} {
		p := open(t)
		a, b := tcpPair(t)
		add(t, p, a, token, interest)
		b.write("x")
		b.reset()
		expectAtLeast(t, p, token, poller.Failed)
		if err := p.Delete(a.fd); err != nil {
			t.Fatal(err)
		}
		expectNothing(t, p)
		add(t, p, a, token+1, interest)
		expectAtLeast(t, p, token+1, poller.Failed)
	}
}

func TestClosingTheDescriptorEndsEvents(t *testing.T) {
	p := open(t)
	a, _ := tcpPair(t)
	fresh, _ := tcpPair(t)
	add(t, p, a, token, poller.Readable|poller.Writable)
	expect(t, p, token, poller.Write)
	number := a.fd
	a.close()
	expectNothing(t, p)

	// A descriptor that reuses the number has its own registration.
	if err := unix.Dup2(fresh.fd, number); err != nil {
		t.Fatal(err)
	}
	reused := adopt(t, number)
	expectNothing(t, p)
	add(t, p, reused, token+1, poller.Writable)
	expect(t, p, token+1, poller.Write)
}

func TestAddOfABadDescriptorIsAnError(t *testing.T) {
	p := open(t)
	a, _ := tcpPair(t)
	number := a.fd
	a.close()
	for _, fd := range []int{-1, number} {
		if err := p.Add(fd, token, poller.Readable); !errors.Is(err, unix.EBADF) {
			t.Errorf("Add(%d): %v, want EBADF", fd, err)
		}
	}
	if err := p.Set(1<<20, token, poller.Readable); err == nil {
		t.Error("Set of an unknown descriptor returned no error")
	}
}
