package loop

import (
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
)

// openDescriptors counts portably: no system here has it in the same place.
func openDescriptors() (n int) {
	for fd := range 1024 {
		if descriptorOpen(fd) {
			n++
		}
	}
	return n
}

func TestRunServesAndEnds(t *testing.T) {
	before := openDescriptors()
	l, err := newReactor(Config{Logger: slog.New(&logBook{}), Settings: testSettings()}, 0, newLimit(10, 0))
	if err != nil {
		t.Fatal(err)
	}
	stop := running(t, l)
	fds, addr, err := sockets.Listen(t.Context(), "tcp4", "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(fds[0], []*Reactor{l}, echo{}.Open, false); err != nil {
		t.Fatal(err)
	}
	client := dial(t, addr)
	client.send("ping")
	client.wait(unix.POLLIN)
	if client.pull(4); string(client.got) != "ping" {
		t.Errorf("got %q", client.got)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if s := l.Stats(); s.Accepted != 1 || s.Closed != 1 || s.BytesRead != 4 || s.BytesWritten != 4 {
		t.Errorf("stats %+v", s)
	}
	client.close()
	if after := openDescriptors(); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

// wait waits with poll(2).
func (s *socket) wait(events int16) {
	s.t.Helper()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: events}}, int(patience.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if err != nil || n != 1 {
			s.t.Fatalf("nothing came in %v: %v", patience, err)
		}
		return
	}
}

func TestDiscardReleasesWhatALoopWasGiven(t *testing.T) {
	before := openDescriptors()
	r := newRig(t)
	fds, addr, err := sockets.Listen(t.Context(), "tcp4", "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.loop.Accept(fds[0], []*Reactor{r.loop}, echo{}.Open, false); err != nil {
		t.Fatal(err)
	}
	client := dial(t, addr) // waits in the queue
	r.loop.Discard()
	if !client.all() {
		t.Error("the client still waits")
	}
	client.close()
	if after := openDescriptors(); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

// However much it was given.
func TestDiscardWithMoreThanABudgetOfTasks(t *testing.T) {
	before := openDescriptors()
	r := newRig(t)
	for range inboxBudget {
		_ = r.loop.Post(func() {})
	}
	fds, _, err := sockets.Listen(t.Context(), "tcp4", "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.loop.Accept(fds[0], []*Reactor{r.loop}, echo{}.Open, false); err != nil {
		t.Fatal(err)
	}
	r.loop.Discard()
	if after := openDescriptors(); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

func TestLoopSleepsUntilItsNextTimer(t *testing.T) {
	r := newRig(t)
	r.settled()
	if got := r.loop.timeout(); got >= 0 {
		t.Errorf("sleeps %v with nothing to wait for, want for ever", got)
	}
	r.loop.After(1500*time.Microsecond, func() {})
	if got := r.loop.timeout(); got < 1500*time.Microsecond || got > 2*time.Millisecond {
		t.Errorf("sleeps %v before a timer of 1.5ms", got)
	}
	r.now.Add(int64(time.Second))
	if got := r.loop.timeout(); got != 0 {
		t.Errorf("sleeps %v with a timer that is due", got)
	}
}
