package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// server is a running probe.
type server struct {
	address string // of HTTP: host:port
	echo    string // of the raw echo, if -echo was given
	pprof   string // of the profiles, if -pprof was given

	ctx    context.Context
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the process has ended
	unread bool          // standard error is not read after the first address

	mu    sync.Mutex
	lines []string // of standard error; guarded by mu
}

// start runs a probe on a free port.
func (t *trial) start(args ...string) (*server, error) {
	return t.startUnder(nil, append([]string{"-listen", "127.0.0.1:0"}, args...)...)
}

// startUnder runs a probe under another command, and waits until it listens.
func (t *trial) startUnder(command []string, args ...string) (*server, error) {
	s := t.newServer(command, args)
	return s, t.launch(s, args)
}

func (t *trial) newServer(command, args []string) *server {
	line := append(slices.Clone(command), t.probe)
	line = append(line, args...)
	return &server{ctx: t.ctx, cmd: exec.CommandContext(t.ctx, line[0], line[1:]...), ended: make(chan struct{})}
}

// launch starts a server with these arguments, and waits until it listens.
func (t *trial) launch(s *server, args []string) error {
	out, err := s.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	t.servers = append(t.servers, s)
	wanted := 0
	for _, a := range args {
		if a == "-listen" || a == "-echo" || a == "-pprof" {
			wanted++
		}
	}
	listening := make(chan struct{}, 8)
	go s.read(out, listening)
	for range wanted {
		select {
		case <-listening:
		case <-s.ended:
			return fmt.Errorf("the probe does not start: %s", strings.Join(s.logged(), "; "))
		case <-t.ctx.Done():
			return context.Cause(t.ctx)
		}
	}
	return nil
}

// read stores the lines of standard error, and the addresses in them.
func (s *server) read(out io.Reader, listening chan<- struct{}) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		s.mu.Lock()
		s.lines = append(s.lines, lines.Text())
		s.mu.Unlock()
		if rest, ok := strings.CutPrefix(lines.Text(), "listening "); ok {
			switch name, address, _ := strings.Cut(rest, " "); name {
			case "http":
				s.address = address
			case "echo":
				s.echo = address
			case "pprof":
				s.pprof = address
			}
			listening <- struct{}{}
			if s.unread {
				break
			}
		}
	}
	_ = s.cmd.Wait() // status uses ProcessState
	close(s.ended)
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// logged returns the lines of standard error so far. Any goroutine may call it.
func (s *server) logged() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines)
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill() // fails if it has ended
	<-s.ended
}

func (s *server) signal(sig os.Signal) error { return s.cmd.Process.Signal(sig) }

// status waits for the end of the process and returns the exit status.
func (s *server) status(within time.Duration) (int, error) {
	select {
	case <-s.ended:
		return s.cmd.ProcessState.ExitCode(), nil
	case <-time.After(within):
		return 0, fmt.Errorf("the probe has not ended after %v", within)
	}
}

// terminate sends SIGTERM and expects exit status 0.
func (s *server) terminate(within time.Duration) error {
	if err := s.signal(syscall.SIGTERM); err != nil {
		return err
	}
	code, err := s.status(within)
	if err == nil && code != 0 {
		err = fmt.Errorf("exit status %d", code)
	}
	return err
}

// get makes one request on a new connection.
func (s *server) get(path string) (string, error) {
	c, err := dial(s.ctx, s.address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	a, err := c.do("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if err == nil && a.status != 200 {
		err = fmt.Errorf("GET %s: status %d", path, a.status)
	}
	return a.body, err
}

func (s *server) number(path string) (int, error) {
	body, err := s.get(path)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(body))
}

// counts are the fields of eddy.Stats used by trials.
type counts struct {
	Accepted, Closed, TimedOut, AcceptPauses, Panics, BytesRead, BytesWritten, LogDropped uint64
}

// open is the number of open connections, without that of the request itself.
func (c counts) open() int { return int(c.Accepted-c.Closed) - 1 }

func (s *server) stats() (c counts, err error) {
	body, err := s.get("/stats")
	if err == nil {
		err = json.Unmarshal([]byte(body), &c)
	}
	return c, err
}

// awaitOpen waits until at most n connections are open, or for patience. It returns the
// number of open connections.
func (s *server) awaitOpen(n int, patience time.Duration) (int, error) {
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		c, err := s.stats()
		if err != nil || c.open() <= n || time.Now().After(end) {
			return c.open(), err
		}
	}
}

var goroutineTotal = regexp.MustCompile(`goroutine profile: total (\d+)`)

// goroutines counts the goroutines of a server started with -pprof.
func (s *server) goroutines() (int, error) {
	c, err := dial(s.ctx, s.pprof)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	a, err := c.do("GET /debug/pprof/goroutine?debug=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if err != nil {
		return 0, err
	}
	m := goroutineTotal.FindStringSubmatch(a.body)
	if m == nil {
		return 0, errors.New("the profile names no total")
	}
	return strconv.Atoi(m[1])
}

// crowd makes n connections, each with a request whose response has begun.
func (t *trial) crowd(s *server, path string, n int) ([]*client, error) {
	crowd, err := dialMany(t.ctx, s.address, n, dial)
	if err != nil {
		return nil, err
	}
	err = parallel(n, func(i int) error {
		if err := crowd[i].send(get(path)); err != nil {
			return err
		}
		_, err := crowd[i].head()
		return err
	})
	if err != nil {
		closeAll(crowd)
	}
	return crowd, err
}

// disconnect closes the connections, every other one with a reset.
func disconnect(crowd []*client) error {
	for i, c := range crowd {
		if i%2 == 0 {
			c.reset()
		} else if err := c.Close(); err != nil {
			return err
		}
	}
	return nil
}

// command runs a tool and returns its output.
func (t *trial) command(name string, args ...string) (string, error) {
	cmd := exec.CommandContext(t.ctx, name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}
