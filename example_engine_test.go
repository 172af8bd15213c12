package eddy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/eddynet/eddy"
)

// echo is a handler that sends back what it gets.
type echo struct{}

func (echo) OnData(c *eddy.Conn, in []byte) (used int) {
	c.Write(in)
	return len(in)
}

// OnEvent leaves each event to its default action.
func (echo) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) { return false }

// parrot is a protocol whose connections have one handler in common.
func parrot(c *eddy.Conn) eddy.Handler { return echo{} }

// An engine that serves until it is interrupted.
func ExampleEngine() {
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", "127.0.0.1:0", parrot)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ended := make(chan error)
	go func() { ended <- engine.Run(ctx) }()

	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(conn, "hello")
	conn.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(conn)
	conn.Close()
	fmt.Println(string(answer), err)

	stop() // as an interrupt does: Run returns when the last connection has ended
	fmt.Println(<-ended)
	// Output:
	// hello <nil>
	// <nil>
}

// question asks, and hands on the answer.
type question struct {
	echo
	answers chan<- string
}

func (q question) Open(c *eddy.Conn) eddy.Handler {
	c.WriteString("ping")
	return q
}

func (q question) OnData(c *eddy.Conn, in []byte) (used int) {
	if len(in) < len("ping") {
		return 0 // it comes back, with more behind it
	}
	q.answers <- string(in)
	c.Close()
	return len(in)
}

func ExampleEngine_Dial() {
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", "127.0.0.1:0", parrot)
	if err != nil {
		log.Fatal(err)
	}
	go engine.Run(context.Background())
	defer engine.Shutdown(context.Background())

	answers := make(chan string, 1) // so that the loop need not wait
	done := func(c *eddy.Conn, err error) {
		if err != nil {
			answers <- err.Error()
		}
	}
	ask := question{answers: answers}
	if err := engine.Dial("tcp", ln.Addr().String(), ask.Open, 5*time.Second, done); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-answers)
	// Output: ping
}

// A connection that the program has made by itself is left to a loop.
func ExampleEngine_Adopt() {
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	go engine.Run(context.Background())
	defer engine.Shutdown(context.Background())

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	accepted, err := ln.Accept() // or dialled, or passed on by another process
	if err != nil {
		log.Fatal(err)
	}
	if err := engine.Adopt(accepted, parrot, nil); err != nil {
		log.Fatal(err)
	}

	fmt.Fprint(client, "hello")
	client.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(client)
	fmt.Println(string(answer), err)
	// Output: hello <nil>
}

// A listener of package net, which may have been opened in ways that Listen has not.
func ExampleEngine_Serve() {
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := engine.Serve(ln, parrot); err != nil {
		log.Fatal(err)
	}
	go engine.Run(context.Background())
	defer engine.Shutdown(context.Background())

	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "hello")
	conn.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(conn)
	fmt.Println(string(answer), err)
	// Output: hello <nil>
}

// A drain with a time limit of its own.
func ExampleEngine_Shutdown() {
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	go engine.Run(context.Background())

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := engine.Shutdown(ctx); err != nil {
		log.Print(err) // connections were cut off
	}
	_, err = engine.Listen("tcp", "127.0.0.1:0", parrot)
	fmt.Println(err)
	// Output: eddy: engine closed
}

// A connection beyond MaxConns gets an answer, and does not wait for room.
func ExampleConn_Overloaded() {
	engine, err := eddy.New(eddy.Options{MaxConns: 1, MaxRefusals: 10})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", "127.0.0.1:0", func(c *eddy.Conn) eddy.Handler {
		if c.Overloaded() {
			c.WriteString("no room, come back later\n")
			c.Close()
		}
		return echo{}
	})
	if err != nil {
		log.Fatal(err)
	}
	go engine.Run(context.Background())

	var clients [2]net.Conn
	for i := range clients {
		if clients[i], err = net.Dial("tcp", ln.Addr().String()); err != nil {
			log.Fatal(err)
		}
		if i == 0 {
			fmt.Fprint(clients[0], "hello")
			io.CopyN(os.Stdout, clients[0], int64(len("hello")))
			fmt.Println()
		}
	}
	io.Copy(os.Stdout, clients[1])
	for _, c := range clients {
		c.Close()
	}
	engine.Shutdown(context.Background())
	// Output:
	// hello
	// no room, come back later
}

// polite says good-bye when the engine shuts down.
type polite struct{ echo }

func (p polite) Open(c *eddy.Conn) eddy.Handler {
	c.WriteString("welcome\n")
	return p
}

func (polite) OnEvent(c *eddy.Conn, e eddy.Event) (handled bool) {
	if e == eddy.EventShutdown {
		c.WriteString("good-bye\n")
		c.Close()
		return true
	}
	return false
}

func ExampleEvent_shutdown() {
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", "127.0.0.1:0", polite{}.Open)
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- engine.Run(context.Background()) }()

	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	io.CopyN(os.Stdout, conn, int64(len("welcome\n")))
	go engine.Shutdown(context.Background())
	io.Copy(os.Stdout, conn)
	conn.Close()
	fmt.Println(<-ended)
	// Output:
	// welcome
	// good-bye
	// <nil>
}

// An option that makes no sense is an error, which says what to change.
func ExampleOptions() {
	_, err := eddy.New(eddy.Options{
		MaxConns:    10_000,
		IdleTimeout: time.Minute,
		HighWater:   1 << 20,
		MaxOutput:   1 << 20,
	})
	fmt.Println(err)
	// Output: eddy: Options.MaxOutput is 1048576, below twice HighWater, which is 1048576: raise it
}

// One engine serves any number of addresses.
func ExampleListener() {
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Shutdown(context.Background())

	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for network, address := range map[string]string{
		"tcp":  "127.0.0.1:0", // 0 stands for a free port
		"unix": filepath.Join(dir, "parrot.sock"),
	} {
		ln, err := engine.Listen(network, address, parrot)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(ln.Addr().Network())
		defer ln.Close()
	}
	// Unordered output:
	// tcp
	// unix
}

func ExampleStats() {
	engine, err := eddy.New(eddy.Options{})
	if err != nil {
		log.Fatal(err)
	}
	ln, err := engine.Listen("tcp", "127.0.0.1:0", parrot)
	if err != nil {
		log.Fatal(err)
	}
	go engine.Run(context.Background())

	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(conn, "hello")
	conn.(*net.TCPConn).CloseWrite()
	if _, err := io.ReadAll(conn); err != nil {
		log.Fatal(err)
	}
	conn.Close()
	engine.Shutdown(context.Background())
	stats := engine.Stats()
	fmt.Println(stats.Accepted, "accepted,", stats.Open(), "open,", stats.BytesRead, "bytes read")
	// Output: 1 accepted, 0 open, 5 bytes read
}

// sluggish computes for far too long in its callback.
type sluggish struct {
	echo
	working, finish chan struct{}
}

func (s sluggish) OnData(c *eddy.Conn, in []byte) (used int) {
	close(s.working)
	<-s.finish
	return len(in)
}

// A drain that ends at its deadline although a callback blocks its loop.
func ExampleBlockedError() {
	engine, err := eddy.New(eddy.Options{DrainTimeout: 100 * time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	s := sluggish{working: make(chan struct{}), finish: make(chan struct{})}
	ln, err := engine.Listen("tcp", "127.0.0.1:0", func(*eddy.Conn) eddy.Handler { return s })
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- engine.Run(ctx) }()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "a task")
	<-s.working
	stop()

	err = <-ended
	var blocked *eddy.BlockedError
	fmt.Println(errors.As(err, &blocked), strings.Contains(blocked.Stack, "sluggish.OnData"))
	close(s.finish) // else the goroutine would stay
	// Output: true true
}
