package main_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eddynet/eddy/examples/internal/program"
)

// grace is the default grace period of idle connections in a drain.
const grace = 500 * time.Millisecond

func TestSignalsEndAnIdleProbe(t *testing.T) {
	t.Parallel()
	program.EachSignal(t, func(t *testing.T, s os.Signal) {
		p := start(t, "-echo", "127.0.0.1:0")
		p.Signal(s)
		p.ExitsCleanly()
	})
}

// Every request sent before its connection ended gets a complete response.
func TestDrainUnderLoadLosesNoRequest(t *testing.T) {
	t.Parallel()
	const clients = 24
	requests := []string{
		program.Get("/plaintext"),
		post("POST", "/echo", "", strings.Repeat("x", 10000)),
		program.Get("/sleep?ms=2"),
		program.Get("/big?n=200000"),
		program.Get("/big?n=200000&chunked=1"),
		post("POST", "/dump", "", "abc"),
	}
	for range 3 {
		p := start(t)
		var (
			warm, done sync.WaitGroup
			signalled  = make(chan time.Time, 1)
		)
		warm.Add(clients)
		for i := range clients {
			done.Go(func() {
				err := hammer(p.address, requests[i%len(requests)], warm.Done, signalled)
				if err != nil {
					t.Errorf("%.20q: %v", requests[i%len(requests)], err)
				}
			})
		}
		warm.Wait()
		signalled <- time.Now()
		p.Signal(syscall.SIGTERM)
		done.Wait()
		p.ExitsCleanly()
	}
}

// hammer repeats the request on one connection until the server closes it. It returns an
// error if a response is lost or truncated. It calls warm after some requests; signalled
// has the time of the signal.
func hammer(address, request string, warm func(), signalled chan time.Time) error {
	ready := sync.OnceFunc(warm)
	defer ready()
	c, err := program.Connect(address)
	if err != nil {
		return err
	}
	defer c.Conn.Close()
	method, _, _ := strings.Cut(request, " ")
	for n := 1; ; n++ {
		a, begun, err := c.Do(method, request)
		switch {
		case err != nil && begun:
			return fmt.Errorf("response %d is truncated: %w", n, err)
		case err != nil:
			// A connection may be closed without a response if it was idle until the
			// end of its grace period.
			select {
			case at := <-signalled:
				signalled <- at
				if since := time.Since(at); since < grace {
					return fmt.Errorf("request %d, %v after the signal, has no response: %w", n, since, err)
				}
				return nil
			default:
				return fmt.Errorf("request %d, before the signal, has no response: %w", n, err)
			}
		case a.StatusCode != 200:
			return fmt.Errorf("response %d is %s", n, a.Status)
		case a.Close:
			if b, err := c.Buffered().ReadByte(); err != io.EOF {
				return fmt.Errorf("after the last response: %q, %v", b, err)
			}
			return nil
		}
		if n == 20 {
			ready()
		}
	}
}

func TestDrainFinishesRequestsInFlight(t *testing.T) {
	t.Parallel()
	p := start(t)
	asleep, halfHead, halfBody, download := p.dial(), p.dial(), p.dial(), p.dial()
	for _, c := range []*program.Client{asleep, halfHead, halfBody, download} {
		c.Get("/plaintext") // the connection has been accepted
	}
	head, body := program.Get("/plaintext"), post("POST", "/echo", "", "abcdef")
	asleep.Send(program.Get("/sleep?ms=1200")) // longer than the grace period
	halfHead.Send(head[:15])
	halfBody.Send(body[:len(body)-3])
	const size = 32 << 20 // more than the kernel buffers
	download.Send(program.Get("/big?n=" + itoa(size)))
	response, err := http.ReadResponse(download.Buffered(), nil)
	if err != nil {
		t.Fatal(err)
	}

	p.Signal(syscall.SIGTERM)
	p.AwaitRefusal(p.address)

	last := asleep.Answer("GET") // by now all connections are draining
	expect(t, "the sleeper's response", last.Text, "slept")
	expect(t, "Connection: close", last.Close, true)
	asleep.Ends()

	halfHead.Send(head[15:])
	last = halfHead.Answer("GET")
	expect(t, "the response to a head in two halves", last.Text, "Hello, World!")
	expect(t, "Connection: close", last.Close, true)
	halfHead.Ends()

	halfBody.Send("def")
	last = halfBody.Answer("POST")
	expect(t, "the response to a body in two halves", last.Text, "abcdef")
	expect(t, "Connection: close", last.Close, true)
	halfBody.Ends()

	n, err := drain(response.Body)
	if err != nil || n != size {
		t.Errorf("the download ended after %d bytes: %v", n, err)
	}
	// Its head was sent before the drain began: the connection is closed as an idle one.
	download.Ends()
	for _, c := range []*program.Client{asleep, halfHead, halfBody, download} {
		c.Conn.Close()
	}
	p.ExitsCleanly()
}

func TestDrainEndsIdleConnectionsAfterTheGrace(t *testing.T) {
	t.Parallel()
	p := start(t, "-echo", "127.0.0.1:0")
	used, unused, echo := p.dial(), p.dial(), program.Dial(t, p.Stderr.Line("listening echo "))
	used.Get("/plaintext")
	echo.Send("x")
	echo.Text(1)
	eventually(t, "all are accepted", func() bool {
		return statsOf(t, used.Get("/stats")).Accepted == 3
	})
	begin := time.Now()
	p.Signal(syscall.SIGTERM)
	for _, c := range []*program.Client{used, unused, echo} {
		c.Ends()
		if took := time.Since(begin); took < grace {
			t.Errorf("an idle connection ended %v after the signal, before the grace period of %v", took, grace)
		}
		c.Conn.Close()
	}
	p.ExitsCleanly()
}

func TestLateRequestIsAnsweredWithinTheGrace(t *testing.T) {
	t.Parallel()
	for range 10 {
		p := start(t)
		c := p.dial()
		c.Get("/plaintext")
		begin := time.Now()
		p.Signal(syscall.SIGTERM)
		p.AwaitRefusal(p.address)
		closes := false
		for !closes {
			// The first request may arrive before the drain begins on the
			// connection's loop: then there is one more.
			a, begun, err := c.Do("GET", program.Get("/plaintext"))
			if err != nil {
				if since := time.Since(begin); begun || since < grace {
					t.Fatalf("no response %v after the signal: %v", since, err)
				}
				break // this test was too slow
			}
			expect(t, "response", a.Text, "Hello, World!")
			closes = a.Close
		}
		if closes {
			c.Ends()
		}
		c.Conn.Close()
		p.ExitsCleanly()
		if closes {
			return
		}
	}
	t.Skip("this machine is too busy to send a request within the grace period")
}

func TestSecondSignalForces(t *testing.T) {
	t.Parallel()
	program.EachSignal(t, func(t *testing.T, s os.Signal) {
		p := start(t, "-drain", "1h")
		c := p.dial()
		c.Get("/plaintext")
		c.Send(program.Get("/sleep?ms=3600000"))
		p.Signal(s)
		p.AwaitRefusal(p.address)
		p.Signal(s)
		expect(t, "exit status", p.Wait().ExitCode(), 1)
		if got := p.Stderr.String(); !strings.Contains(got, "forced by a second signal") {
			t.Errorf("stderr does not name the reason: %s", got)
		}
	})
}

func TestDrainEndsAtItsDeadline(t *testing.T) {
	t.Parallel()
	const limit = 700 * time.Millisecond
	p := start(t, "-drain", limit.String())
	c := p.dial()
	c.Get("/plaintext")
	c.Send(program.Get("/sleep?ms=3600000"))
	begin := time.Now()
	p.Signal(syscall.SIGTERM)
	expect(t, "exit status", p.Wait().ExitCode(), 1)
	if took := time.Since(begin); took < limit {
		t.Errorf("the request in flight was aborted after %v, before -drain %v", took, limit)
	}
	if got := p.Stderr.String(); !strings.Contains(got, "connections were cut off") {
		t.Errorf("stderr does not name the reason: %s", got)
	}
}
