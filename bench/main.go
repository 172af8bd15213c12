// Bench compares eddy with its peers, by the rules in docs/benchmarks.md:
//
//	go run . -quick
//	go run . -json results.json -markdown tables.md -plot plots
//	go run . -scenario plaintext-64,plaintext-512 -rounds 5 -duration 5s
//	go run . -swap -strict -json results.json
//	go run . -against HEAD -scenario plaintext-64
//
// It builds the servers and runs one at a time on one processor, with a load generator
// on another, in a random order in each round. Linux only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	err := start(os.Args[1:])
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func start(args []string) error {
	c, err := parseConfig(args, os.Stderr)
	if err != nil {
		return err
	}
	if c.list {
		return list(os.Stdout, c.scenarios)
	}
	if c.from != "" {
		r, err := readReport(c.from)
		if err != nil {
			return err
		}
		return c.write(r)
	}
	r, err := c.measure(args)
	if err != nil {
		return err
	}
	if err := c.write(r); err != nil {
		return err
	}
	return c.judge(r.After, "after")
}

// judge warns of a noisy machine, before or after the measurement, or returns an error.
func (c config) judge(l *look, when string) error {
	noise := l.noise()
	switch {
	case noise == "":
		return nil
	case c.strict:
		return fmt.Errorf("-strict: the machine was noisy %s the measurement: %s", when, noise)
	}
	fmt.Fprintf(os.Stderr, "\nWARNING: the machine was noisy %s the measurement: %s. Do not publish these figures.\n\n", when, noise)
	return nil
}

// measure builds the servers and measures them.
func (c config) measure(args []string) (*report, error) {
	if err := c.checkMachine(); err != nil {
		return nil, err
	}
	before, began, err := c.firstLook()
	if err != nil {
		return nil, err
	}
	if err := c.judge(&before, "before"); err != nil {
		return nil, err
	}
	// An interrupt cancels ctx instead of ending the program: folders are removed.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	folder, remove, err := temporary()
	if err != nil {
		return nil, err
	}
	defer remove()
	fmt.Fprintln(os.Stderr, "building the servers")
	programs, err := build(ctx, folder, c.scenarios, c.against)
	if err != nil {
		return nil, err
	}
	r, err := newReport(c, programs.versions, args)
	if err != nil {
		return nil, err
	}
	r.Before = &before
	if programs.noFloor {
		c.scenarios = withoutFloor(c.scenarios)
		r.note("gcc is not installed: the floor was not measured.")
	}
	if c.calls && !have("strace") {
		c.calls = false
		r.note("strace is not installed: system calls were not counted.")
	}
	if err := newBench(c, programs).all(ctx, r, func() error { return c.keep(r) }); err != nil {
		return r, err
	}
	after, err := lookAround(c.cpus(), began)
	if err != nil {
		return r, err
	}
	r.After = &after
	return r, c.keep(r)
}

// keep writes the raw results, if -json is set.
func (c config) keep(r *report) error {
	if c.jsonFile == "" {
		return nil
	}
	return r.writeFile(c.jsonFile)
}

// write writes a report in all formats selected by the flags.
func (c config) write(r *report) error {
	if c.markdownFile != "-" {
		if err := r.show(os.Stdout, text); err != nil {
			return err
		}
	}
	if c.plotFolder != "" {
		if err := r.plot(c.plotFolder); err != nil {
			return err
		}
	}
	switch c.markdownFile {
	case "":
		return nil
	case "-":
		return r.show(os.Stdout, markdown)
	}
	var b strings.Builder
	if err := r.show(&b, markdown); err != nil {
		return err
	}
	return os.WriteFile(c.markdownFile, []byte(b.String()), 0o666)
}

func list(out io.Writer, all []scenario) error {
	t := table{{"scenario", "load", "peers"}}
	for _, s := range all {
		t = append(t, []string{s.Name, s.About, strings.Join(s.peers, " ")})
	}
	return text(out, t)
}
