package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/eddynet/eddy/bench/internal/common"
	"github.com/eddynet/eddy/bench/proc"
)

// server is a running peer, pinned to the server's processors.
type server struct {
	address string
	line    string // the command
	process *exec.Cmd
	out     *bufio.Reader
	errors  *tail
}

// start starts a peer and waits until it accepts connections. Most peers cannot report
// a port chosen by the kernel, so the port is chosen here; if another program takes it
// meanwhile, start tries the next one.
func (b *bench) start(s scenario, peer string) (v *server, err error) {
	for range 3 {
		if v, err = b.startOn(freeAddress(), s, peer); err == nil {
			break
		}
	}
	return v, err
}

func (b *bench) startOn(address string, s scenario, peer string) (*server, error) {
	cpus, err := proc.Processors(b.serverCPUs)
	if err != nil {
		return nil, err
	}
	args := append([]string{"taskset", "-c", b.serverCPUs}, b.programs.command(s, peer, address)...)
	v := &server{address: address, errors: &tail{}}
	v.process = exec.Command(args[0], args[1:]...)
	v.process.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(len(cpus)))
	v.process.Stderr = v.errors
	v.line = "GOMAXPROCS=" + strconv.Itoa(len(cpus)) + " " + strings.Join(args, " ")
	out, err := v.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	v.out = bufio.NewReader(out)
	if err := v.process.Start(); err != nil {
		return nil, err
	}
	for limit := time.Now().Add(3 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			return v, conn.Close()
		}
		if time.Now().After(limit) {
			v.stop()
			return nil, fmt.Errorf("%s does not listen: %w\n%s", v.line, err, v.errors)
		}
	}
}

// stop kills the server.
func (v *server) stop() {
	_ = v.process.Process.Kill() // fails if it has ended by itself
	_ = v.process.Wait()         // the error reports the signal
}

func (v *server) pid() int { return v.process.Process.Pid }

// counts returns the server's allocations. With release it first returns free memory to
// the kernel.
func (v *server) counts(release bool) (c common.Counts, err error) {
	signal := syscall.SIGUSR1
	if release {
		signal = syscall.SIGUSR2
	}
	if err := v.process.Process.Signal(signal); err != nil {
		return c, fmt.Errorf("%s: %w\n%s", v.line, err, v.errors)
	}
	for {
		line, err := v.out.ReadBytes('\n')
		if err != nil {
			return c, fmt.Errorf("%s ended: %w\n%s", v.line, err, v.errors)
		}
		if line[0] == '{' { // other lines are log output
			return c, json.Unmarshal(line, &c)
		}
	}
}

// allocations returns the server's allocations since its start, 0 if its program does not
// report them.
func (v *server) allocations(s scenario, peer string) (uint64, error) {
	if !reportsCounts(s, peer) {
		return 0, nil
	}
	c, err := v.counts(false)
	return c.Allocations, err
}

// freeAddress returns an address that is most likely free. Its port is below the range
// of ephemeral ports, of which the load uses many.
func freeAddress() string {
	for {
		address := "127.0.0.1:" + strconv.Itoa(10_000+rand.IntN(20_000))
		if ln, err := net.Listen("tcp4", address); err == nil && ln.Close() == nil {
			return address
		}
	}
}

// tail keeps the end of a process's output.
type tail struct{ text []byte }

var _ io.Writer = (*tail)(nil)

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-2000):]
	return len(p), nil
}

func (t *tail) String() string { return string(t.text) }
