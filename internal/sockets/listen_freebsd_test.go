package sockets

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// Whoever can connect while the sockets of an address are opened, one after the other,
// waits in the queue of one of them.
func TestNoClientIsLostWhileListening(t *testing.T) {
	port := freePort(t)
	for range 100 {
		clients := connectAllTheTime(port)
		fds, _, err := Listen(context.Background(), "tcp4", fmt.Sprintf("127.0.0.1:%d", port), 4)
		connected := clients()
		if err != nil {
			t.Fatal(err)
		}
		accepted := 0
		for _, fd := range fds {
			accepted += acceptWaiting(t, fd)
			Close(fd)
		}
		if accepted != connected {
			t.Fatalf("%d clients of %d are in a queue", accepted, connected)
		}
	}
}

// An address of all interfaces, one of a name, and a port that is to be chosen.
func TestSpreadOnEveryKindOfAddress(t *testing.T) {
	port := freePort(t)
	for _, c := range []struct{ network, host string }{
		{"tcp", ""}, {"tcp", "[::]"}, {"tcp", "0.0.0.0"}, {"tcp4", ""}, {"tcp6", ""},
		{"tcp", "localhost"}, {"tcp4", "127.0.0.1"}, {"tcp6", "[::1]"},
	} {
		for _, port := range []int{0, port} {
			address := fmt.Sprintf("%s:%d", c.host, port)
			fds, addr, err := Listen(context.Background(), c.network, address, 3)
			if err != nil {
				t.Errorf("%s %s: %v", c.network, address, err)
				continue
			}
			if len(fds) != 3 {
				t.Errorf("%s %s: %d sockets, want 3", c.network, address, len(fds))
			}
			if _, _, err := Listen(context.Background(), c.network, addr.String(), 3); !errors.Is(err, unix.EADDRINUSE) {
				t.Errorf("%s %s again: %v, want EADDRINUSE", c.network, address, err)
			}
			for _, fd := range fds {
				Close(fd)
			}
		}
	}
}

// freePort returns a port below those that clients get. Among them, a client that is refused
// could come to be connected to itself.
func freePort(t *testing.T) int {
	t.Helper()
	for port := 9999; port > 5000; port-- {
		if fds, _, err := Listen(context.Background(), "tcp4", fmt.Sprintf("127.0.0.1:%d", port), 1); err == nil {
			Close(fds[0])
			return port
		}
	}
	t.Skip("no free port")
	return 0
}

// connectAllTheTime returns a function that ends it and returns how many could connect.
func connectAllTheTime(port int) (stop func() int) {
	var started, ended sync.WaitGroup
	var connected atomic.Int64
	var end atomic.Bool
	for range 3 {
		started.Add(1)
		ended.Go(func() {
			started.Done()
			for !end.Load() {
				fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
				if err != nil {
					return // too many could connect
				}
				defer Close(fd)
				if unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}) == nil {
					connected.Add(1)
				}
			}
		})
	}
	started.Wait()
	return func() int {
		end.Store(true)
		ended.Wait()
		return int(connected.Load())
	}
}

// acceptWaiting empties a listener's queue.
func acceptWaiting(t *testing.T, fd int) (accepted int) {
	t.Helper()
	for {
		conn, _, errno := Accept(fd)
		switch errno {
		case 0:
			Close(conn)
			accepted++
		case unix.EAGAIN:
			return accepted
		case unix.ECONNABORTED, unix.EINTR:
		default:
			t.Fatal(errno)
		}
	}
}
