package eddytest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/eddytest"
	"github.com/eddynet/eddy/http1"
	"github.com/eddynet/eddy/loop"
)

// t stands for the *testing.T of a test.
var t exampleT

type exampleT struct{ testing.TB }

func (exampleT) Helper()                   {}
func (exampleT) Cleanup(func())            {}
func (exampleT) Fatal(args ...any)         { panic(fmt.Sprint(args...)) }
func (exampleT) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

// A handler of package http1: whole requests in, parsed responses out.
func ExampleConn_Do() {
	upper := func(w *http1.Response, r *http1.Request) { w.Write(bytes.ToUpper(r.Body())) }
	server, err := http1.New(upper, http1.Options{MaxBodyBytes: 10})
	if err != nil {
		t.Fatal(err)
	}
	c := eddytest.NewServer(t, server.Open).Dial()
	for _, body := range []string{"hello", "much too long"} {
		response, err := c.Do(httptest.NewRequest("POST", "/", strings.NewReader(body)))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		fmt.Printf("%s: %q\n", response.Status, text)
	}
	fmt.Println("closed:", c.EOF())
	// Output:
	// 200 OK: "HELLO"
	// 413 Content Too Large: "Content Too Large\n"
	// closed: true
}

// lines is a protocol that answers each line with its length.
func lines(c *eddy.Conn) eddy.Handler {
	c.SetTimeout(time.Minute) // for each line
	return lineHandler{}
}

type lineHandler struct{}

func (lineHandler) OnData(c *eddy.Conn, in []byte) (used int) {
	for line := range bytes.Lines(in) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // the rest comes with more input
		}
		used += len(line)
		fmt.Fprintln(c, len(line)-1)
		c.SetTimeout(time.Minute)
	}
	return used
}

func (lineHandler) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) {
	if e == eddy.EventTimeout {
		c.WriteString("too slow\n")
		c.Close()
		return true
	}
	return false
}

// A protocol gets its input in the pieces that the test sends.
func ExampleConn_Send() {
	c := eddytest.NewServer(t, lines).Dial()
	c.Send("one\nthr")
	fmt.Printf("%q\n", c.Received())
	c.Send("ee\n")
	fmt.Printf("%q\n", c.Received())
	c.CloseWrite()
	fmt.Println(c.Closed())
	// Output:
	// "3\n"
	// "5\n"
	// true false
}

// The test moves the clock: deadlines take no time, and are met to the millisecond.
func ExampleServer_Advance() {
	s := eddytest.NewServer(t, lines)
	c := s.Dial()
	s.Advance(time.Minute - time.Millisecond)
	fmt.Printf("%q\n", c.Received())
	s.Advance(time.Millisecond)
	fmt.Printf("%q\n", c.Received())
	// Output:
	// ""
	// "too slow\n"
}

// A client that reads slowly: the server writes as much as the window takes, and is
// told (EventWritable, Conn.Full, Options.WriteTimeout) as with a socket.
func ExampleConn_SetWindow() {
	s := eddytest.NewServerOptions(t, lines, eddy.Options{WriteTimeout: 5 * time.Second})
	c := s.Dial()
	c.SetWindow(3)
	c.Send("one\nthree\nseven\n")
	fmt.Println("pending:", c.Server().Pending())
	fmt.Printf("%q\n", c.Received())
	c.SetWindow(0)
	c.Send("again\n")
	s.Advance(5*time.Second + time.Millisecond)
	fmt.Println(c.Server().Err() == loop.ErrWriteTimeout)
	// Output:
	// pending: 3
	// "3\n5"
	// true
}
