package main_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddynet/eddy/examples/internal/program"
)

// load runs clients that send requests continuously until stop.
type load struct {
	address  string
	pause    time.Duration // of each client between two requests
	stopped  atomic.Bool
	clients  sync.WaitGroup
	answered atomic.Int64
	opened   atomic.Int64 // connections

	mu       sync.Mutex
	failures []failure // guarded by mu
}

// failure is a failed request, or a failed dial.
type failure struct {
	worker string // the worker that answered on the connection before, if any
	dialed bool
	err    error
}

func (f failure) String() string {
	return fmt.Sprintf("worker %q, connected %v: %v", f.worker, f.dialed, f.err)
}

// drive starts clients that keep their connections, and fresh clients that open one for
// each request.
func drive(t *testing.T, address string, keeping, fresh int, pause time.Duration) *load {
	l := &load{address: address, pause: pause}
	for range keeping {
		l.clients.Go(func() { l.client(true) })
	}
	for range fresh {
		l.clients.Go(func() { l.client(false) })
	}
	t.Cleanup(l.stop)
	return l
}

func (l *load) stop() {
	l.stopped.Store(true)
	l.clients.Wait()
}

func (l *load) client(keeps bool) {
	for !l.stopped.Load() {
		l.connection(keeps)
	}
}

// connection sends requests until Connection: close, or one request.
func (l *load) connection(keeps bool) {
	c, err := program.Connect(l.address)
	if err != nil {
		l.fail(failure{err: err})
		time.Sleep(10 * time.Millisecond) // the next dial is likely to fail too
		return
	}
	defer c.Conn.Close()
	l.opened.Add(1)
	for worker := ""; !l.stopped.Load(); time.Sleep(l.pause) {
		_ = c.Conn.SetDeadline(time.Now().Add(program.Patience))
		a, _, err := c.Do("GET", program.Get("/"))
		if err == nil && a.StatusCode != 200 {
			err = fmt.Errorf("response %s", a.Status)
		}
		if err != nil {
			l.fail(failure{worker, true, err})
			return
		}
		l.answered.Add(1)
		worker = workerOf(a)
		if a.Close || !keeps {
			return
		}
	}
}

func (l *load) fail(f failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures = append(l.failures, f)
}

// failed returns the failures so far.
func (l *load) failed() []failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]failure(nil), l.failures...)
}

// flows waits for n further responses.
func (l *load) flows(t *testing.T, n int64) {
	t.Helper()
	enough := l.answered.Load() + n
	eventually(t, "requests are answered", func() bool { return l.answered.Load() >= enough })
}

// noneFailed stops the load and expects that no request failed.
func (l *load) noneFailed(t *testing.T) {
	t.Helper()
	l.stop()
	for _, f := range l.failed() {
		t.Errorf("a request failed: %v", f)
	}
}

// workerOf is the process ID in a response.
func workerOf(a *program.Answer) string {
	return strings.TrimSpace(strings.TrimPrefix(a.Text, "Hello from "))
}
