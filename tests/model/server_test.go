package model

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/eddynet/eddy"
)

// server is one engine with a listener.
type server struct {
	network string
	options eddy.Options
	engine  *eddy.Engine
	addr    net.Addr
	ran     chan error
	stop    context.CancelFunc // ends Run's context
	drained chan error         // nil before the drain
}

// drainTimeout is the timeout of a drain that cannot complete.
const drainTimeout = 5 * time.Millisecond

func (s *server) start(t *rapid.T, dir string, protocol eddy.Protocol) {
	engine, err := eddy.New(s.options)
	if err != nil {
		t.Fatal(err)
	}
	s.engine = engine
	address := "127.0.0.1:0"
	if s.network == "unix" {
		address = filepath.Join(dir, "s")
	}
	ln, err := engine.Listen(s.network, address, protocol)
	if err != nil {
		t.Fatal(err)
	}
	s.addr, s.ran = ln.Addr(), make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go func() { s.ran <- engine.Run(ctx) }()
}

// someOptions draws output limits.
func someOptions(t *rapid.T) eddy.Options {
	high := rapid.SampledFrom([]int{1 << 10, 16 << 10, 64 << 10}).Draw(t, "HighWater")
	return eddy.Options{
		Loops:      rapid.IntRange(1, 2).Draw(t, "Loops"),
		HighWater:  high,
		LowWater:   rapid.SampledFrom([]int{1, high / 2, high}).Draw(t, "LowWater"),
		MaxOutput:  high * rapid.IntRange(2, 40).Draw(t, "MaxOutput/HighWater"),
		DrainGrace: time.Millisecond, DrainTimeout: drainTimeout,
		Logger: slog.New(slog.DiscardHandler),
	}
}

// dial connects to the server, and sends the layer's preface and the first bytes in one
// write.
func (s *server) dial(t *rapid.T, by layer, id int) socket {
	conn, err := net.DialTimeout(s.addr.Network(), s.addr.String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	first := input(id, 0, rapid.SampledFrom([]int{0, 1, 5000}).Draw(t, "bytes at once"))
	sent := int64(len(first))
	if by == handedOver {
		first = append([]byte(preface), first...)
	}
	if _, err := conn.Write(first); err != nil {
		t.Fatal(err)
	}
	return socket{conn: conn, id: id, sent: sent}
}

// shutdown begins a drain with a time limit.
func (s *server) shutdown(limit time.Duration) {
	drained := make(chan error, 1)
	s.drained = drained
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		drained <- s.engine.Shutdown(ctx)
	}()
}

// ended waits for the end of the drain, which must succeed.
func (s *server) ended(t *rapid.T) {
	if err := receive(t, s.drained, "Shutdown ends"); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := receive(t, s.ran, "Run ends"); err != nil {
		t.Errorf("Run: %v", err)
	}
}

// cutOff cleans up after a failed check.
func (s *server) cutOff() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.engine.Shutdown(ctx) // returns an error about aborted connections
	s.stop()
}

// leavesNothing runs one sequence, which must leak no goroutine and no descriptor.
func leavesNothing(t *rapid.T, sequence func()) {
	before, running := openDescriptors(), goleak.IgnoreCurrent()
	sequence()
	if err := goleak.Find(running); err != nil {
		t.Error(err)
	}
	if after := openDescriptors(); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

// openDescriptors counts with fcntl(2), which every platform has.
func openDescriptors() (n int) {
	for fd := range uintptr(512) {
		if _, err := unix.FcntlInt(fd, unix.F_GETFD, 0); err == nil {
			n++
		}
	}
	return n
}

func receive[T any](t *rapid.T, from <-chan T, event string) (v T) {
	select {
	case v = <-from:
	case <-time.After(patience):
		t.Fatalf("not within %v: %s", patience, event)
	}
	return v
}

func await(t *rapid.T, event string, condition func() bool) {
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, event)
		}
	}
}
