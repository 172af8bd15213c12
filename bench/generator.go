package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/eddynet/eddy/bench/sample"
)

// generator is a running process of our load generator.
type generator struct {
	line    string // the command
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	errors  tail
}

// generate starts the load generator.
func (b *bench) generate(args ...string) (g *generator, err error) {
	g = &generator{process: b.client(append([]string{b.programs.path("load")}, args...)...)}
	g.process.Env = append(g.process.Environ(), "GOMAXPROCS=1")
	g.process.Stderr = &g.errors
	g.line = strings.Join(g.process.Args, " ")
	if g.in, err = g.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := g.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	g.out = bufio.NewReader(out)
	return g, g.process.Start()
}

// connected waits until all connections are made. The generator must run with -await.
func (g *generator) connected() error {
	line, err := g.out.ReadString('\n')
	if err == nil && line != "connected\n" {
		err = fmt.Errorf("load wrote %.100q instead of connected", line)
	}
	return err
}

// begin starts the requests of a generator that runs with -await.
func (g *generator) begin() error {
	_, err := g.in.Write([]byte{'\n'})
	return err
}

// result waits for the measured sample.
func (g *generator) result(s *sample.Sample) error {
	if err := json.NewDecoder(g.out).Decode(s); err != nil {
		return fmt.Errorf("load's output: %w", err)
	}
	return nil
}

// end makes a generator with -hold close its connections, and waits for its exit.
func (g *generator) end() error {
	g.in.Close()
	if err := g.process.Wait(); err != nil {
		return fmt.Errorf("load: %w: %s", err, strings.TrimSpace(g.errors.String()))
	}
	return nil
}
