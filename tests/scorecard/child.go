package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// childCommand is the first argument of a child process that makes load, so that the
// load does not disturb the measurements.
const childCommand = "load"

// loads are the loads of a child process. They end with their context.
func loads() map[string]func(ctx context.Context, address string) error {
	return map[string]func(context.Context, string) error{
		"upload":   uploadWithoutEnd,
		"pipeline": pipelineWithoutEnd,
	}
}

// runChild makes a load until standard input is closed.
func runChild(name string, args []string) int {
	f, ok := loads()[name]
	if !ok || len(args) != 1 {
		fmt.Fprintln(os.Stderr, "scorecard: load is an internal command")
		return 2
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	if err := f(ctx, args[0]); err != nil {
		fmt.Fprintln(os.Stderr, "scorecard:", name+":", err)
	}
	return 1
}

// load starts a process that makes a load until stop is called. stop returns an error if
// the process has ended before.
func (t *trial) load(name, address string) (stop func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(t.ctx, self, childCommand, name, address)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() error {
		_ = in.Close() // fails if the process has ended
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("%s: %w: %s", name, err, out.String())
		}
		return nil
	}, nil
}

// uploadWithoutEnd sends one body as fast as possible.
func uploadWithoutEnd(ctx context.Context, address string) error {
	c, err := dial(ctx, address)
	if err != nil {
		return err
	}
	if err := c.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1125899906842624\r\n\r\n"); err != nil {
		return err
	}
	for p := make([]byte, 256<<10); ; {
		if _, err := c.Write(p); err != nil {
			return err
		}
	}
}

// pipelineWithoutEnd sends requests as fast as possible, and reads all responses.
func pipelineWithoutEnd(ctx context.Context, address string) error {
	c, err := dial(ctx, address)
	if err != nil {
		return err
	}
	ended := make(chan error, 2)
	go func() {
		_, err := io.Copy(io.Discard, c.r)
		ended <- err
	}()
	go func() {
		batch := []byte(strings.Repeat(get("/plaintext"), 1000))
		for {
			if _, err := c.Write(batch); err != nil {
				ended <- err
				return
			}
		}
	}()
	return <-ended
}
