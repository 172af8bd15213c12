package http1_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddynet/eddy/http1"
)

// TestSendFromManyGoroutines: every line arrives whole, once, and those of one
// goroutine in their order, whatever the reader does.
func TestSendFromManyGoroutines(t *testing.T) {
	const senders, lines = 16, 1000
	s := serve(t, func(w *http1.Response, _ *http1.Request) {
		stream := w.Stream()
		var work sync.WaitGroup
		for n := range senders {
			work.Go(func() {
				for i := range lines {
					if err := stream.Send([]byte(sentLine(n, i))); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		go func() {
			work.Wait()
			if err := stream.Close(); err != nil {
				t.Error(err)
			}
		}()
	}, http1.Options{})
	c := s.dialSmall()
	c.send(get("/") + get("/"))
	time.Sleep(50 * time.Millisecond)
	for range 2 {
		var next [senders]int
		for line := range strings.Lines(string(c.answer("GET").body)) {
			sender, _, _ := strings.Cut(line, " ")
			n, err := strconv.Atoi(sender)
			if err != nil || n < 0 || n >= senders || line != sentLine(n, next[n]) {
				t.Fatalf("line %q; numbers that come next: %d", line, next)
			}
			next[n]++
		}
		for n, i := range next {
			if i != lines {
				t.Errorf("sender %d: %d lines", n, i)
			}
		}
	}
}

func sentLine(n, i int) string { return fmt.Sprintf("%d %d %s\n", n, i, strings.Repeat("x", i%500)) }

// TestSendEndsWithTheClient: a goroutine that waits for room is woken, with the cause.
func TestSendEndsWithTheClient(t *testing.T) {
	ch := make(chan error, 1)
	s := serve(t, func(w *http1.Response, _ *http1.Request) {
		stream := w.Stream()
		go func() {
			var err error
			for err == nil {
				err = stream.Send(make([]byte, 64<<10))
			}
			ch <- err
		}()
	}, http1.Options{})
	c := s.dialSmall()
	c.send(get("/"))
	time.Sleep(50 * time.Millisecond)
	c.breakOff()
	if err := await(t, "the end of Send", ch); errors.Is(err, http1.ErrStreamEnded) {
		t.Errorf("Send: %v, want what broke the connection", err)
	}
}
