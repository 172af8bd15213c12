package http1_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddynet/eddy"
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

// TestSendOwnedReleasesItsMemory: each piece once, when it is written or the client gone.
func TestSendOwnedReleasesItsMemory(t *testing.T) {
	free := newReleased()
	want := pattern(1 << 20)
	s := serve(t, func(w *http1.Response, r *http1.Request) {
		stream := w.Stream()
		whole := string(r.Path()) == "/whole"
		go func() {
			for _, p := range [][]byte{want[:100], want[100:200_000], want[200_000:]} {
				if err := stream.SendOwned(p, free.as("piece")); err != nil {
					if whole {
						t.Error(err)
					}
					free <- "piece" // it was not taken
				}
			}
			stream.Close()
			for whole && stream.Send(nil) != http1.ErrStreamEnded {
				time.Sleep(time.Millisecond)
			}
		}()
	}, http1.Options{})
	c := s.dial()
	c.send(get("/whole"))
	if !bytes.Equal(c.answer("GET").body, want) {
		t.Error("the body differs")
	}
	free.expect(t, "piece", "piece", "piece")
	c = s.dialSmall()
	c.send(get("/gone"))
	time.Sleep(10 * time.Millisecond)
	c.breakOff()
	free.expect(t, "piece", "piece", "piece")
}

// TestWriteComesAfterWhatWasSent, also while that waits for the client.
func TestWriteComesAfterWhatWasSent(t *testing.T) {
	sent := pattern(3 << 20)
	s := serve(t, func(w *http1.Response, _ *http1.Request) {
		l, stream := w.Loop(), w.Stream()
		go func() {
			for rest := sent; len(rest) > 0; rest = rest[1<<18:] {
				if err := stream.Send(rest[:1<<18]); err != nil {
					t.Error(err)
				}
			}
			l.Post(func() {
				stream.Write([]byte("last"))
				stream.WriteOwned([]byte(" words"), nil)
				expect(t, "AddTrailer", stream.AddTrailer("X", "1"), nil)
				expect(t, "AddTrailer", stream.AddTrailer("x", "2"), nil)
				expect(t, "Finish", stream.Finish(), nil)
			})
		}()
	}, http1.Options{})
	c := s.dialSmall()
	c.send(get("/"))
	time.Sleep(20 * time.Millisecond)
	a, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(a.Body)
	if err != nil || !bytes.Equal(body, append(sent, "last words"...)) {
		t.Errorf("the body of %d bytes differs: %v", len(body), err)
	}
	expect(t, "trailers", strings.Join(a.Trailer["X"], " "), "1 2")
}

// TestLastPieceWaitsForRoom, however little MaxOutput is.
func TestLastPieceWaitsForRoom(t *testing.T) {
	const mark = 16 << 10
	piece := pattern(48 << 10)
	s := serveWith(t, func(w *http1.Response, _ *http1.Request) {
		stream := w.Stream()
		for stream.Room() {
			stream.Write(piece)
		}
		if _, err := stream.Write([]byte("last")); err != nil {
			t.Error(err)
		}
		expect(t, "Finish", stream.Finish(), nil)
	}, http1.Options{}, eddy.Options{HighWater: mark, LowWater: mark / 2, MaxOutput: 2 * mark})
	c := s.dialSmall()
	c.send(get("/"))
	a := c.answer("GET")
	expect(t, "end of the body", string(a.body[len(a.body)-4:]), "last")
}
