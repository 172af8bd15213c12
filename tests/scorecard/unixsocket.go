package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// socketFiles starts servers on the path of a stale socket, a socket in use, and an ordinary file.
func socketFiles(t *trial) error {
	dir, err := os.MkdirTemp(t.dir, "socket")
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "s")
	first, err := t.startUnder(nil, "-listen", "unix:"+path)
	if err != nil {
		return err
	}
	first.kill() // leaves the socket file
	if _, err := os.Lstat(path); err != nil {
		return fmt.Errorf("no stale socket file: %w", err)
	}
	live, err := t.startUnder(nil, "-listen", "unix:"+path, "-listen", "127.0.0.1:0")
	t.check("stale socket", fmt.Sprintf("start: %v", err), "replaced", err == nil)
	if err != nil {
		return err
	}
	if err := refused(t, "socket in use", path, "listens"); err != nil {
		return err
	}
	_, err = os.Lstat(path)
	t.check("socket in use: its file", fmt.Sprint(err), "exists", err == nil)
	if err := live.terminate(10 * time.Second); err != nil {
		return err
	}
	_, err = os.Lstat(path)
	t.check("socket after a clean end", fmt.Sprint(err), "removed", os.IsNotExist(err))

	const text = "somebody's work"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	if err := refused(t, "ordinary file", path, "not a socket"); err != nil {
		return err
	}
	now, err := os.ReadFile(path)
	t.check("ordinary file: its text", fmt.Sprintf("%q", now), fmt.Sprintf("%q", text), string(now) == text)
	return err
}

// refused expects that a server does not start, and that its error contains word.
func refused(t *trial, name, path, word string) error {
	s, err := t.startUnder(nil, "-listen", "unix:"+path)
	if err == nil {
		t.check(name, "started", "refused", false)
		return nil
	}
	code, err := s.status(5 * time.Second)
	if err != nil {
		return err
	}
	said := strings.Join(s.logged(), "; ")
	t.check(name, fmt.Sprintf("exit status %d, %s", code, strings.ReplaceAll(said, path, "PATH")), "a clear error", code != 0 && strings.Contains(said, word))
	return nil
}
