package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// inject makes every third of these system calls of the server fail, with strace, while
// f runs. It returns the number of failed calls.
func (t *trial) inject(s *server, calls, errno string, f func() error) (int, error) {
	log := filepath.Join(t.dir, "strace")
	defer os.Remove(log)
	cmd := exec.CommandContext(t.ctx, "strace", "-f", "-qq", "-o", log, "-e", "trace="+calls,
		"-e", "inject="+calls+":error="+errno+":when=2+3", "-p", fmt.Sprint(s.pid()))
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for !traced(s.pid()) {
		select {
		case err := <-ended:
			return 0, fmt.Errorf("strace does not attach: %w", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	err := f()
	// A call that strace is modifying when it detaches returns ENOSYS: the server must
	// be waiting then.
	if err := t.pause(100 * time.Millisecond); err != nil {
		return 0, err
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil { // detaches strace
		return 0, err
	}
	<-ended
	text, rerr := os.ReadFile(log)
	if err == nil {
		err = rerr
	}
	return strings.Count(string(text), "(INJECTED)"), err
}

// failing makes a system call for new connections fail with each of the errors, while
// clients connect: all are served, and the log stays short.
func failing(call string, errnos ...string) func(*trial) error {
	const clients = 40
	return func(t *trial) error {
		if !t.has("strace", "errors of "+call) {
			return nil
		}
		s, err := t.start()
		if err != nil {
			return err
		}
		for _, errno := range errnos {
			lines, served := len(s.logged()), 0
			injected, err := t.inject(s, call, errno, func() error {
				for range clients {
					if _, err := s.get("/plaintext"); err != nil {
						return err
					}
					served++
				}
				return nil
			})
			t.check(errno+" of "+call, fmt.Sprintf("%d of %d served, %d errors", served, clients, injected), "all, and some",
				err == nil && served == clients && injected > 0)
			if err != nil {
				return fmt.Errorf("%s of %s: %w", errno, call, err)
			}
			atMost(t, errno+" of "+call+": log lines", len(s.logged())-lines, 4)
		}
		_, err = s.get("/plaintext")
		return err
	}
}

// callErrors makes read, write and wait calls fail during small and large requests.
func callErrors(t *trial) error {
	const rounds = 40
	if !t.has("strace", "errors of read, write, epoll_wait") {
		return nil
	}
	s, err := t.start()
	if err != nil {
		return err
	}
	body := repeat(20_000, func(i int) string { return fmt.Sprintf("%07d\n", i) })
	for _, fault := range []struct{ calls, errno string }{
		{"read,recvfrom", "EINTR"}, {"read,recvfrom", "EAGAIN"},
		{"write,writev,sendto", "EINTR"}, {"write,writev,sendto", "EAGAIN"},
		// Not write: Go's runtime writes to its own eventfd, where these errors are
		// fatal.
		{"writev,sendto", "ENOBUFS"}, {"writev,sendto", "ENOMEM"},
		{"?epoll_wait,?epoll_pwait", "EINTR"},
	} {
		right := 0
		injected, err := t.inject(s, fault.calls, fault.errno, func() error {
			c, err := dial(t.ctx, s.address)
			if err != nil {
				return err
			}
			defer c.reset()
			for range rounds {
				if err := c.want(get("/plaintext"), "Hello, World!"); err != nil {
					return err
				}
				if err := c.want(post("/echo", body), body); err != nil {
					return err
				}
				right += 2
			}
			return nil
		})
		t.check(fault.errno+" of "+strings.ReplaceAll(fault.calls, "?", ""),
			fmt.Sprintf("%d of %d right, %d errors", right, 2*rounds, injected), fmt.Sprintf("all, and at least %d", rounds/4),
			err == nil && right == 2*rounds && injected >= rounds/4)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", fault.errno, fault.calls, err)
		}
	}
	_, err = s.get("/plaintext")
	return err
}
