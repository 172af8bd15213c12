package http1_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/eddynet/eddy/http1"
)

// record is a log that nobody reads before it is released.
type record struct {
	released chan struct{}

	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(p []byte) (int, error) {
	<-r.released
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func TestAccessLogThatNobodyReadsHoldsUpNoRequest(t *testing.T) {
	access := &record{released: make(chan struct{})}
	release := sync.OnceFunc(func() { close(access.released) })
	t.Cleanup(release)
	s := serve(t, func(w *http1.Response, _ *http1.Request) { _, _ = w.WriteString("hello") },
		http1.Options{AccessLog: slog.New(slog.NewTextHandler(access, nil)).With("server", "test")})
	c := s.dial()
	for _, target := range []string{"/first", "/second", "/third"} {
		c.send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n")
		c.answer("GET")
	}
	c.conn.Close()
	release()
	s.stop() // Run flushes it
	lines := strings.Split(strings.TrimSuffix(access.text.String(), "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines when Run has returned, want 3: %q", len(lines), lines)
	}
	for i, want := range []string{"/first", "/second", "/third"} {
		if !strings.Contains(lines[i], "server=test remote="+c.socket().LocalAddr().String()+" method=GET target="+want+" status=200 bytes=5 ") {
			t.Errorf("line %d is %q, want one of %s", i, lines[i], want)
		}
	}
	if n := s.engine.Stats().LogDropped; n != 0 {
		t.Errorf("%d lines dropped", n)
	}
}
