package eddytest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/eddytest"
	"github.com/eddynet/eddy/internal/leak"
	"github.com/eddynet/eddy/loop"
)

func TestMain(m *testing.M) { leak.Main(m) }

// script is a handler that does as told.
type script struct {
	open  func(c *eddy.Conn)
	data  func(c *eddy.Conn, in []byte) int
	event func(c *eddy.Conn, e eddy.Event) bool
	got   string
	err   error // when closed
}

func (s *script) Open(c *eddy.Conn) eddy.Handler {
	if s.open != nil {
		s.open(c)
	}
	return s
}

func (s *script) OnData(c *eddy.Conn, in []byte) int {
	s.got += string(in)
	if s.data != nil {
		return s.data(c, in)
	}
	_, _ = c.Write(in)
	return len(in)
}

func (s *script) OnEvent(c *eddy.Conn, e eddy.Event) bool {
	if e == eddy.EventClosed {
		s.err = c.Err()
	}
	return s.event != nil && s.event(c, e)
}

func TestEchoAndOrderlyEnd(t *testing.T) {
	p := &script{}
	s := eddytest.NewServer(t, p.Open)
	c := s.Dial()
	c.Send("hello")
	if got := c.Received(); got != "hello" {
		t.Errorf("got %q", got)
	}
	if got := c.Server().RemoteAddr().String(); got != "192.0.2.1:1234" {
		t.Errorf("RemoteAddr %s", got)
	}
	if got := c.Server().LocalAddr().String(); got != "192.0.2.2:80" {
		t.Errorf("LocalAddr %s", got)
	}
	c.CloseWrite()
	if closed, reset := c.Closed(); !closed || reset || !c.EOF() || p.err != io.EOF {
		t.Errorf("closed %v, reset %v, EOF %v, cause %v", closed, reset, c.EOF(), p.err)
	}
}

func TestReset(t *testing.T) {
	p := &script{}
	c := eddytest.NewServer(t, p.Open).Dial()
	c.Reset()
	if closed, _ := c.Closed(); !closed || p.err != syscall.ECONNRESET {
		t.Errorf("closed %v, cause %v", closed, p.err)
	}
	if _, err := c.Read(make([]byte, 1)); err != syscall.ECONNRESET {
		t.Errorf("Read: %v", err)
	}
}

// A server that does not read learns of a reset all the same.
func TestResetWhilePaused(t *testing.T) {
	p := &script{open: func(c *eddy.Conn) { c.PauseRead() }}
	c := eddytest.NewServer(t, p.Open).Dial()
	c.Send("not read")
	c.Reset()
	if closed, reset := c.Closed(); !closed || !reset || p.err != syscall.ECONNRESET || p.got != "" {
		t.Errorf("closed %v, reset %v, cause %v, input %q", closed, reset, p.err, p.got)
	}
	if n, err := c.Write([]byte("x")); n != 0 || err != syscall.EPIPE {
		t.Errorf("Write: %d, %v", n, err)
	}
}

// A drain closes idle connections after the options' grace.
func TestDrainGrace(t *testing.T) {
	s := eddytest.NewServerOptions(t, (&script{}).Open, eddy.Options{DrainGrace: time.Minute})
	c := s.Dial()
	s.Drain()
	s.Advance(time.Minute - time.Millisecond)
	if c.EOF() {
		t.Error("closed before the grace is over")
	}
	s.Advance(2 * time.Millisecond)
	if !c.EOF() {
		t.Error("open after the grace")
	}
}

// Counts can be read at once.
func TestCountsArePublished(t *testing.T) {
	s := eddytest.NewServer(t, (&script{}).Open)
	s.Dial().Send("12345")
	if n := s.Loop().Stats().BytesWritten; n != 5 {
		t.Errorf("%d bytes written", n)
	}
}

// A slow reader: output waits, is counted, and leaves as the window opens.
func TestPartialWrites(t *testing.T) {
	writable := 0
	p := &script{
		data: func(c *eddy.Conn, in []byte) int {
			_, _ = c.WriteString(strings.Repeat("x", 100_000))
			return len(in)
		},
		event: func(_ *eddy.Conn, e eddy.Event) bool { writable++; return e == eddy.EventWritable },
	}
	s := eddytest.NewServer(t, p.Open)
	c := s.Dial()
	c.SetWindow(1000)
	c.Send("go")
	if got := c.Server().Pending(); got != 99_000 || !c.Server().Full() {
		t.Fatalf("%d bytes pending, full %v", got, c.Server().Full())
	}
	c.Send("more") // waits: the output is full
	total := 0
	for range 68 {
		total += len(c.Received())
	}
	if total != 68_000 || writable != 1 || p.got != "gomore" {
		t.Errorf("%d bytes came, writable %d times, input %q", total, writable, p.got)
	}
	c.SetWindow(1 << 20)
	for total < 200_000 {
		n := len(c.Received())
		if n == 0 {
			t.Fatalf("no more after %d bytes", total)
		}
		total += n
	}
}

func TestWriteTimeoutOfAPeerThatDoesNotRead(t *testing.T) {
	p := &script{}
	s := eddytest.NewServerOptions(t, p.Open, eddy.Options{WriteTimeout: 3 * time.Second})
	c := s.Dial()
	c.SetWindow(0)
	c.Send("hello")
	s.Advance(2999 * time.Millisecond)
	if closed, _ := c.Closed(); closed {
		t.Fatal("closed early")
	}
	s.Advance(2 * time.Millisecond)
	if closed, reset := c.Closed(); !closed || !reset || p.err != loop.ErrWriteTimeout {
		t.Errorf("closed %v, reset %v, cause %v", closed, reset, p.err)
	}
}

func TestTimersExpireInOrderAtTheirTime(t *testing.T) {
	var order []string
	s := eddytest.NewServer(t, (&script{}).Open)
	begin := s.Loop().Now()
	for name, d := range map[string]time.Duration{"c": time.Hour, "a": time.Second, "b": time.Minute} {
		s.Loop().After(d, func() {
			order = append(order, fmt.Sprint(name, time.Duration(s.Loop().Now()-begin)))
		})
	}
	s.Advance(2 * time.Hour)
	if got := strings.Join(order, " "); got != "a1s b1m0s c1h0m0s" {
		t.Errorf("order %q", got)
	}
}

func TestIdleTimeoutAndDrain(t *testing.T) {
	p := &script{}
	s := eddytest.NewServerOptions(t, p.Open, eddy.Options{IdleTimeout: time.Minute})
	c := s.Dial()
	s.Advance(time.Minute)
	if closed, reset := c.Closed(); !closed || !reset || p.err != loop.ErrTimeout {
		t.Errorf("closed %v, reset %v, cause %v", closed, reset, p.err)
	}
	c = s.Dial()
	s.Drain()
	if closed, _ := c.Closed(); closed {
		t.Fatal("closed before the grace is over")
	}
	s.Advance(time.Second)
	if !c.EOF() {
		t.Error("open after the grace")
	}
}

func TestAnswerFromAnotherGoroutine(t *testing.T) {
	p := &script{data: func(c *eddy.Conn, in []byte) int {
		ref := c.Ref()
		go func() { _ = ref.Do(func(c *eddy.Conn) { _, _ = c.WriteString("late") }) }()
		return len(in)
	}}
	c := eddytest.NewServer(t, p.Open).Dial()
	c.Send("x")
	buf := make([]byte, 4)
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != "late" {
		t.Errorf("got %q, %v", buf, err)
	}
}

// An answer of several cycles, to a client that has ended: nothing is left to do after it.
func TestConnectionThatClosesAfterALongAnswer(t *testing.T) {
	p := &script{event: func(c *eddy.Conn, e eddy.Event) bool {
		if e == eddy.EventEOF {
			_, _ = c.Write(make([]byte, 1<<20))
			c.Close()
		}
		return true
	}}
	c := eddytest.NewServer(t, p.Open).Dial()
	_ = c.CloseWrite()
	if n := len(c.Received()); n != 1<<20 {
		t.Errorf("%d bytes came", n)
	}
	if closed, reset := c.Closed(); !closed || reset {
		t.Errorf("closed %v, reset %v", closed, reset)
	}
}

func TestLingeringDiscardsInput(t *testing.T) {
	p := &script{data: func(c *eddy.Conn, in []byte) int {
		_, _ = c.WriteString("bye")
		c.Close()
		return len(in)
	}}
	s := eddytest.NewServer(t, p.Open)
	c := s.Dial()
	c.Send("1")
	c.Send("2")
	if got := c.Received(); got != "bye" || !c.EOF() || p.got != "1" {
		t.Errorf("got %q, end %v, input %q", got, c.EOF(), p.got)
	}
	if closed, _ := c.Closed(); closed {
		t.Fatal("closed before the client has")
	}
	c.CloseWrite()
	if closed, reset := c.Closed(); !closed || reset {
		t.Errorf("closed %v, reset %v", closed, reset)
	}
}

func TestResponsesAreParsed(t *testing.T) {
	p := &script{data: func(c *eddy.Conn, in []byte) int {
		_, _ = c.WriteString("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" +
			"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
		return len(in)
	}}
	c := eddytest.NewServer(t, p.Open).Dial()
	r, _ := http.NewRequest("GET", "http://a/", nil)
	w, err := c.Do(r)
	if err != nil || w.StatusCode != 200 {
		t.Fatalf("%v, %v", w, err)
	}
	if body, _ := io.ReadAll(w.Body); string(body) != "ok" {
		t.Errorf("body %q", body)
	}
	if w, err = c.Response(nil); err != nil || w.StatusCode != 404 {
		t.Errorf("%v, %v", w, err)
	}
	if rest := c.Received(); rest != "" {
		t.Errorf("left over: %q", rest)
	}
}
