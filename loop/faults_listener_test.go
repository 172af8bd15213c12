package loop

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
	"github.com/eddynet/eddy/internal/wheel"
	"github.com/eddynet/eddy/poller"
)

// The poller cannot be told of a listener, that it is to pause, or that the pause is
// over: in the end its clients are served.
func TestListenerOutlivesAFailingPoller(t *testing.T) {
	for _, f := range []fault{
		{call: onAdd, first: 1, every: 1, last: 1},
		{call: onAdd, first: 1, every: 1, last: 5},
		{call: onSet, first: 1, every: 1, last: 1},
		{call: onSet, first: 2, every: 1, last: 2},
		{call: onSet, first: 1, every: 1, last: 5},
		{call: onSet, lost: true, first: 1, every: 1, last: 1},
		{call: onSet, lost: true, first: 2, every: 1, last: 2},
		{call: onControl, first: 1, every: 1, last: 5},
		{call: onControl, first: 2, every: 1, last: 3},
		{call: onControl, first: 3, every: 1, last: 4},
	} {
		f.errno = unix.ENOMEM
		t.Run(f.String(), func(t *testing.T) {
			r := newRig(t)
			limit := newLimit(0, 0)
			r.loop.limit = limit
			fds, addr, err := sockets.Listen(t.Context(), "tcp4", "127.0.0.1:0", 1)
			if err != nil {
				t.Fatal(err)
			}
			faults := inject(r.loop)
			faults.arm(f, fds[0])
			if _, err := r.loop.Accept(fds[0], []*Reactor{r.loop}, hello{}.Open, false); err != nil {
				t.Fatal(err)
			}
			client := dial(t, addr)
			r.until("the listener pauses", func() bool {
				r.pass(shortageDelay)
				return r.loop.count.AcceptPauses > 0
			})
			pauses := r.loop.count.AcceptPauses
			for range 20 {
				r.cycle()
			}
			if r.loop.count.AcceptPauses != pauses {
				t.Errorf("%d pauses at one time: the loop spins", r.loop.count.AcceptPauses-pauses+1)
			}
			limit.served.max = 10
			for range 2 * f.last {
				r.pass(shortageDelay + 2*wheel.Tick)
			}
			r.until("the client is greeted", client.has("hello"))
			r.settled()
			if faults.hits == 0 {
				t.Error("the fault did not strike")
			}
			if n := len(r.logged.lines); n > 2 {
				t.Errorf("%d log lines, want one in a while: %q", n, r.logged.lines)
			}
		})
	}
}

// A security policy may refuse connections without taking them off the queue.
func TestDrainOfAListenerThatAcceptsNothing(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EPERM, unix.EINTR, unix.ECONNABORTED} {
		r := newRig(t)
		a, addr := r.listen("tcp4", "127.0.0.1:0", hello{})
		client := dial(t, addr)
		faults := inject(r.loop)
		faults.arm(fault{call: onAccept, errno: errno, first: 1, every: 1, last: 100_000}, a.fd)
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		r.cycle()
		r.pass(handshakeTime + wheel.Tick)
		r.until("the client is told", client.all)
		if faults.hits > 3*acceptBudget { // once in the cycle, twice in the drain
			t.Errorf("%v: accept was called %d times", errno, faults.hits)
		}
	}
}

func TestDrainOfAListenerGoesOnBehindARefusal(t *testing.T) {
	r := newRig(t)
	a, addr := r.listen("tcp4", "127.0.0.1:0", hello{})
	var clients []*socket
	for range 5 {
		clients = append(clients, dial(t, addr))
	}
	inject(r.loop).arm(fault{call: onAccept, errno: unix.ECONNABORTED, first: 1, every: 2, last: 100}, a.fd)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	for _, client := range clients {
		r.until("the client is greeted", client.has("hello"))
	}
}

// blind is a poller that fails for good.
type blind struct{ poller.Backend }

func (blind) Wait(time.Duration) ([]poller.Event, error) { return nil, unix.EBADF }
func (blind) Park(time.Duration) ([]poller.Event, error) { return nil, unix.EBADF }

// Without its poller a loop can do nothing: it ends, and gives everything back.
func TestFailedWaitEndsTheLoopInOrder(t *testing.T) {
	before := openDescriptors()
	r := newRig(t)
	p := &script{}
	_, peer := r.open(tcpPair, p)
	_, addr := r.listen("tcp4", "127.0.0.1:0", hello{})
	client := dial(t, addr)
	r.loop.poller = blind{r.loop.poller}
	if err := r.loop.Run(); !errors.Is(err, unix.EBADF) {
		t.Errorf("Run: %v, want the poller's error", err)
	}
	p.expect(t, "open", "close:"+ErrServerClosed.Error())
	if !peer.all() || !client.all() {
		t.Error("somebody still waits")
	}
	if err := r.loop.Post(func() {}); err != ErrServerClosed {
		t.Errorf("Post: %v, want ErrServerClosed", err)
	}
	peer.close()
	client.close()
	if after := openDescriptors(); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

func TestListenerForAnEndedLoopIsClosed(t *testing.T) {
	before := openDescriptors()
	r := newRig(t)
	r.loop.end()
	fds, _, err := sockets.Listen(t.Context(), "tcp4", "127.0.0.1:0", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.loop.Accept(fds[0], []*Reactor{r.loop}, echo{}.Open, false); err != ErrServerClosed {
		t.Errorf("Accept: %v, want ErrServerClosed", err)
	}
	if after := openDescriptors(); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

// A poller short of watches or memory: accepting pauses, nobody is dropped, and the
// connection at hand is served when there is room.
func TestPollerShortOfWatches(t *testing.T) {
	for _, network := range []string{"tcp4", "dealt to another loop"} {
		for _, errno := range []unix.Errno{unix.ENOSPC, unix.ENOMEM} {
			t.Run(network+" "+errno.Error(), func(t *testing.T) { pollerShortOfWatches(t, network, errno) })
		}
	}
}

func pollerShortOfWatches(t *testing.T, network string, errno unix.Errno) {
	r := newRig(t)
	served := r.loop
	if network != "tcp4" {
		served = r.newLoop(r.loop.limit)
	}
	_, addr := r.listenFor("tcp4", "127.0.0.1:0", hello{}, served)
	short := &crowded{Backend: served.poller, errno: errno}
	served.poller = short
	var clients []*socket
	for range 5 {
		clients = append(clients, dial(t, addr))
	}
	step := func() {
		r.cycle()
		cycle(t, served)
	}
	for range 10 {
		step()
	}
	if r.loop.count.AcceptPauses != 1 {
		t.Errorf("%d pauses at one time, want 1", r.loop.count.AcceptPauses)
	}
	for range 5 {
		r.now.Add(int64(shortageDelay))
		step()
		step()
	}
	if n := r.logged.count("max_user_watches"); n != 1 || len(r.logged.lines) != 1 {
		t.Errorf("log %q, want one line in a while", r.logged.lines)
	}
	short.errno = 0
	for i, client := range clients {
		client.send(" and served")
		r.until("the client is served", func() bool {
			r.now.Add(int64(wheel.Tick))
			cycle(t, served)
			return client.has("hello and served")()
		})
		if client.eof || client.err != nil {
			t.Errorf("client %d was dropped", i)
		}
	}
	if n := served.Stats().Accepted; n != 5 {
		t.Errorf("%d connections opened, want 5", n)
	}
}

// crowded is a poller that takes no new registrations.
type crowded struct {
	poller.Backend
	errno unix.Errno
}

func (f *crowded) Add(fd int, token poller.Token, interest poller.Interest) error {
	if f.errno != 0 {
		return f.errno
	}
	return f.Backend.Add(fd, token, interest)
}
