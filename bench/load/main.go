//go:build linux

// Load is the load generator: one thread, one epoll loop, any number of connections
// to one server. It writes a sample.Sample as JSON. It also runs by itself:
//
//	go run ./load -address 127.0.0.1:8080 -connections 64 -duration 5s
//
// Without -rate the loop is closed: a connection sends the next request after the
// response. With -rate the loop is open: requests have intended times, and latency
// counts from those, even when no connection was free.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	p, err := parsePlan(args)
	if err != nil {
		return err
	}
	c, err := newClient(p)
	if err != nil {
		return err
	}
	defer c.end()
	if p.await {
		c.connected = func() error { return awaitStart(in, out) }
	}
	work := c.run
	if p.protocol == "comet" {
		work = c.runComet
	}
	result, err := work()
	if err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(result); err != nil {
		return err
	}
	if p.hold {
		_, err = io.Copy(io.Discard, in) // until the parent closes it
	}
	return err
}

// awaitStart reports to the parent that the connections are made, and waits for a byte.
func awaitStart(in io.Reader, out io.Writer) error {
	if _, err := fmt.Fprintln(out, "connected"); err != nil {
		return err
	}
	_, err := io.ReadFull(in, make([]byte, 1))
	return err
}
