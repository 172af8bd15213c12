package main_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy/examples/internal/program"
)

func TestStdDumpAndEcho(t *testing.T) {
	p := start(t)
	a := p.ask("POST", "POST /std/dump?q=%20 HTTP/1.1\r\nHost: a\r\nX-B: 1\r\nx-a: \xe9\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n")
	var d struct {
		Method, Target, Path, Query, Version string
		Fields, Trailers                     [][2]string
		Len                                  int    `json:"body_len"`
		Sum                                  string `json:"body_sha256"`
	}
	decode(t, a, &d)
	expect(t, "method", d.Method, "POST")
	expect(t, "target", d.Target, "/std/dump?q=%20")
	expect(t, "path", d.Path, "/std/dump")
	expect(t, "query", d.Query, "q=%20")
	expect(t, "version", d.Version, "1.1")
	expect(t, "length", d.Len, 3)
	expect(t, "sum", d.Sum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
	if len(d.Fields) != 3 || d.Fields[0] != [2]string{"Host", "a"} || d.Fields[1] != [2]string{"X-A", "\u00e9"} {
		t.Errorf("fields %q", d.Fields)
	}
	if len(d.Trailers) != 1 || d.Trailers[0] != [2]string{"X-Sum", "7"} {
		t.Errorf("trailers %q", d.Trailers)
	}
	body := strings.Repeat("body", 10000)
	a = p.ask("POST", "POST /std/echo HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Length: 40000\r\n\r\n"+body)
	expect(t, "echo", a.Text, body)
	expect(t, "type", a.Header.Get("Content-Type"), "a/b")
	p.drains()
}

func TestStdFlush(t *testing.T) {
	p := start(t)
	a := p.get("/std/flush")
	expect(t, "body", a.Text, "STARTMIDDLEEND")
	p.drains()
}

// A panic ends the connection without a response. The server keeps running.
func TestStdPanic(t *testing.T) {
	p := start(t)
	c := p.dial()
	c.Send(program.Get("/std/panic"))
	c.Ends()
	c.Conn.Close()
	expect(t, "status afterwards", p.get("/plaintext").StatusCode, 200)
	p.drains()
}

// A handler that checks only Write notices that its client has closed or reset the
// connection.
func TestStdTicks(t *testing.T) {
	p := start(t)
	expect(t, "ended before", p.get("/std/ticks-ended").Text, "0")
	for _, reset := range []bool{false, true} {
		c := p.dial()
		c.Send(program.Get("/std/ticks"))
		head, err := http.ReadResponse(c.Buffered(), nil)
		if err != nil {
			t.Fatal(err)
		}
		ticks := make([]byte, len("tick\ntick\n"))
		if _, err := io.ReadFull(head.Body, ticks); err != nil || string(ticks) != "tick\ntick\n" {
			t.Fatalf("got %q, %v", ticks, err)
		}
		if reset {
			_ = c.Conn.(*net.TCPConn).SetLinger(0) // an error leaves an orderly close
		}
		c.Conn.Close()
	}
	for deadline := time.Now().Add(program.Patience); p.get("/std/ticks-ended").Text != "2"; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s of 2 handlers have ended", p.get("/std/ticks-ended").Text)
		}
	}
	p.drains()
}

// The response to an unread upload keeps the connection open, or has Connection: close.
// On an open connection the next request is answered.
func TestStdEarly(t *testing.T) {
	p := start(t)
	head := "POST /std/early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	for body, closes := range map[string]bool{
		"3\r\nabc\r\n0\r\n\r\n": false,
		strings.Repeat("10000\r\n"+strings.Repeat("x", 1<<16)+"\r\n", 32) + "0\r\n\r\n": true,
	} {
		c := p.dial()
		c.Send(head)
		sent := make(chan error, 1)
		go func() {
			_, err := io.WriteString(c.Conn, body)
			sent <- err
		}()
		a := c.Answer("POST")
		expect(t, "status", a.StatusCode, 204)
		expect(t, "Connection: close", a.Close, closes)
		if err := <-sent; err != nil {
			t.Errorf("the body could not be sent: %v", err)
		}
		if !closes {
			expect(t, "status of the next", c.Get("/plaintext").StatusCode, 200)
		}
		c.Conn.Close()
	}
	p.drains()
}
