package loop

import (
	"errors"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddynet/eddy/internal/sockets"
	"github.com/eddynet/eddy/internal/wheel"
)

// Who had connected is served, and who comes is neither accepted nor reset.
func TestHoldOffKeepsNewClientsOut(t *testing.T) {
	for network, address := range map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0"} {
		t.Run(network, func(t *testing.T) {
			fds, addr, err := sockets.Listen(t.Context(), network, address, 1)
			if err != nil {
				t.Fatal(err)
			}
			listener := adoptSocket(t, fds[0])
			before := dial(t, addr)
			sockets.HoldOff(listener.fd)

			_, err = net.DialTimeout(network, addr.String(), 100*time.Millisecond)
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				t.Errorf("connect: %v, want nothing to come of it", err)
			}
			fd, _, errno := sockets.Accept(listener.fd)
			if errno != 0 {
				t.Fatalf("accept the one who had connected: %v", errno)
			}
			speaks(t, adoptSocket(t, fd), before)
			if _, _, errno := sockets.Accept(listener.fd); errno != unix.EAGAIN {
				t.Errorf("accept another one: %v, want EAGAIN", errno)
			}
		})
	}
}

// A connection whose handshake was under way inherits the filter. Here it gets it
// directly.
func TestHoldOffDoesNotDisturbAConnection(t *testing.T) {
	ours, theirs := newTCPPair(t)
	sockets.HoldOff(ours.fd)
	speaks(t, ours, theirs)
	theirs.shutWrite()
	arrives(t, "the end", ours.all)
}

func speaks(t *testing.T, a, b *socket) {
	t.Helper()
	a.send("question")
	arrives(t, "question", b.has("question"))
	b.send("answer")
	arrives(t, "answer", a.has("answer"))
}

func arrives(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not after %v: %s", patience, what)
		}
	}
}

// The loop goes on while clients that are about to join the queue are waited for.
func TestClosingAListenerDoesNotBlockTheLoop(t *testing.T) {
	r := newRig(t)
	a, addr := r.listen("tcp4", "127.0.0.1:0", hello{})
	before := dial(t, addr)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	r.until("who had connected is served", before.has("hello"))
	if a.fd < 0 {
		t.Error("the listener is closed without waiting")
	}
	r.pass(handshakeTime + wheel.Tick)
	if a.fd >= 0 || len(r.loop.acceptors) != 0 {
		t.Errorf("the listener is open; %d listeners on the loop", len(r.loop.acceptors))
	}
}
