package main_test

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"

	"github.com/gobwas/ws"

	"github.com/eddynet/eddy/examples/internal/program"
	"github.com/eddynet/eddy/examples/internal/websocket/wstest"
)

// dial opens a WebSocket of a client that has the messages up to a number.
func dial(t *testing.T, address string, after int64) *wstest.Client {
	t.Helper()
	return wstest.Dial(t, fmt.Sprintf("ws://%s/socket?after=%d", address, after))
}

// heard reads the next messages from a WebSocket.
func heard(t *testing.T, c *wstest.Client) []message {
	t.Helper()
	return parse(t, c.Read(ws.OpText))
}

func text(name, words string) ws.Frame { return ws.NewTextFrame([]byte(said(name, words))) }

func TestBothTransportsMeet(t *testing.T) {
	p, address := start(t)
	send(t, address, "Ada", "before")
	c := dial(t, address, 0)
	if got := texts(heard(t, c)); got != "Ada: before" {
		t.Errorf("first message: %q", got)
	}
	c.Write(text("Bob", "over the socket"))
	news := heard(t, c)
	if got := texts(news); got != "Bob: over the socket" || news[0].Via != "socket" {
		t.Errorf("got %+v", news)
	}
	if got := texts(poll(t, address, news[0].Number-1)); got != "Bob: over the socket" {
		t.Errorf("poll: %q", got)
	}
	send(t, address, "Ada", "by post")
	if got := texts(heard(t, c)); got != "Ada: by post" {
		t.Errorf("got %q", got)
	}
	c.Write(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, "")))
	c.Closes(ws.StatusNormalClosure)
	p.Signal(syscall.SIGTERM)
	p.ExitsCleanly()
}

func TestSocketContinuesAfterANumber(t *testing.T) {
	_, address := start(t)
	c := dial(t, address, 0)
	for i := range 3 {
		send(t, address, "Ada", fmt.Sprint(i))
	}
	first := heard(t, c)[0].Number
	if got := texts(heard(t, dial(t, address, first))); got != "Ada: 1\nAda: 2" {
		t.Errorf("got %q", got)
	}
}

func TestSocketErrorsHaveAStatus(t *testing.T) {
	_, address := start(t)
	large := ws.NewTextFrame(bytes.Repeat([]byte("x"), 9000))
	for name, test := range map[string]struct {
		sent   ws.Frame
		status ws.StatusCode
	}{
		"binary":     {ws.NewBinaryFrame([]byte("x")), 1003},
		"no message": {ws.NewTextFrame([]byte("hello")), 1008},
		"large":      {large, 1009},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, address, 0)
			c.Write(test.sent)
			c.Closes(test.status)
		})
	}
	send(t, address, "Ada", "still here")
	if got := texts(poll(t, address, 0)); got != "Ada: still here" {
		t.Errorf("got %q", got)
	}
}

func TestOtherOriginsAreRefused(t *testing.T) {
	_, address := start(t)
	for origin, status := range map[string]int{
		"http://" + address:  101,
		"http://example.com": 403,
		"null":               403, // no page
	} {
		c := program.Dial(t, address)
		c.Send(wstest.Handshake("/socket", "Host: "+address, "Origin: "+origin))
		if got := c.Answer("GET").StatusCode; got != status {
			t.Errorf("Origin %s: got %d, want %d", origin, got, status)
		}
	}
}

// All sockets, on several loops, see the same messages in the same order.
func TestOrderIsTheSameForAll(t *testing.T) {
	_, address := start(t)
	const talkers, each = 6, 20
	var all []*wstest.Client
	for range talkers {
		all = append(all, dial(t, address, 0))
	}
	for i := range each {
		for k, c := range all {
			c.Write(text(fmt.Sprint(k), fmt.Sprint(i)))
		}
	}
	var want []int64
	for k, c := range all {
		var got []int64
		for len(got) < talkers*each {
			for _, m := range heard(t, c) {
				got = append(got, m.Number)
			}
		}
		if k == 0 {
			want = got
		}
		for i, n := range got {
			if n != want[0]+int64(i) {
				t.Fatalf("talker %d got %v", k, got)
			}
		}
	}
}
