package main_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// start returns the running server and its address.
func start(t *testing.T) (*program.Program, string) {
	t.Helper()
	p := program.Start(t, "-listen", "127.0.0.1:0", "-every", "20ms")
	return p, strings.TrimSuffix(p.Stdout.Line("http://"), "/")
}

// listen requests the events, with additional header fields.
func listen(t *testing.T, address, fields string) (*program.Client, *bufio.Reader) {
	t.Helper()
	c := program.Dial(t, address)
	c.Send("GET /events HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n")
	response, err := http.ReadResponse(c.Buffered(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); response.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("got %s, %s", response.Status, got)
	}
	return c, bufio.NewReader(response.Body)
}

// event expects an event with that number.
func event(t *testing.T, events *bufio.Reader, number int) {
	t.Helper()
	var text string
	for !strings.HasSuffix(text, "\n\n") {
		line, err := events.ReadString('\n')
		if err != nil {
			t.Fatalf("%v after %q", err, text+line)
		}
		text += line
	}
	data, ok := strings.CutPrefix(text, fmt.Sprintf("id: %d\ndata: ", number))
	if _, err := time.Parse(time.TimeOnly, strings.TrimSuffix(data, "\n\n")); !ok || err != nil {
		t.Fatalf("got %q, want event %d", text, number)
	}
}

func TestEventsReachAllClients(t *testing.T) {
	p, address := start(t)
	one, first := listen(t, address, "")
	event(t, first, 1)
	other, second := listen(t, address, "")
	for n := 1; n <= 5; n++ {
		event(t, first, n+1)
		event(t, second, n)
	}
	one.Conn.Close()
	event(t, second, 6)
	other.Conn.Close()
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
	if got := p.Stderr.String(); got != "" {
		t.Errorf("stderr: %s", got)
	}
}

func TestNumbersContinueAfterTheLastEvent(t *testing.T) {
	_, address := start(t)
	_, events := listen(t, address, "Last-Event-ID: 41\r\n")
	event(t, events, 42)
	event(t, events, 43)
}

func TestHalfClosedClientIsClosed(t *testing.T) {
	_, address := start(t)
	c, events := listen(t, address, "")
	event(t, events, 1)
	c.HalfClose()
	if _, err := io.Copy(io.Discard, events); err != nil {
		t.Errorf("the stream ended with %v", err)
	}
	c.Ends()
}

func TestSignalEndsTheEvents(t *testing.T) {
	p, address := start(t)
	c, events := listen(t, address, "")
	event(t, events, 1)
	p.Signal(syscall.SIGTERM)
	if _, err := io.Copy(io.Discard, events); err != nil && !errors.Is(err, io.EOF) {
		t.Errorf("the stream ended with %v, want a complete body", err)
	}
	c.Conn.Close()
	p.ExitsCleanly()
}

func TestServesItsPage(t *testing.T) {
	_, address := start(t)
	c := program.Dial(t, address)
	if a := c.Get("/"); a.StatusCode != 200 || !strings.Contains(a.Text, `new EventSource("/events")`) {
		t.Errorf("got %s, %d bytes", a.Status, len(a.Text))
	}
	if a := c.Get("/other"); a.StatusCode != 404 {
		t.Errorf("GET /other: %s", a.Status)
	}
}
