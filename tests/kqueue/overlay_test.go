package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// read makes the overlay of a system. It returns the content of the replaced files; nil
// means no file.
func read(t *testing.T, system string) map[string][]byte {
	t.Helper()
	description, err := writeOverlay("../..", t.TempDir(), system)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(description)
	if err != nil {
		t.Fatal(err)
	}
	var overlay struct{ Replace map[string]string }
	if err := json.Unmarshal(text, &overlay); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for path, copied := range overlay.Replace {
		path = filepath.ToSlash(strings.TrimPrefix(path, "../../"))
		files[path] = nil
		if copied == "" {
			continue
		}
		if files[path], err = os.ReadFile(copied); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// The files under test are those of the system, except for two lines.
func TestOverlayKeepsTheText(t *testing.T) {
	for system, own := range map[string]map[string]string{
		"darwin": {
			"poller/wake_user.go": "", "internal/sockets/accept2.go": "", "internal/sockets/listen_other.go": "",
			"internal/sockets/writev_libc.go": "", "internal/sockets/options_other.go": "", "internal/sockets/holdoff_other.go": "",
		},
		"freebsd": {
			"poller/wake_user.go": "", "internal/sockets/accept4.go": "",
			"internal/sockets/listen_on_model.go": "internal/sockets/listen_freebsd.go", "internal/sockets/listen_on_model_test.go": "internal/sockets/listen_freebsd_test.go",
		},
		"openbsd": {
			"poller/wake_pipe.go": "", "internal/sockets/accept2.go": "", "internal/sockets/listen_other.go": "",
		},
	} {
		files := read(t, system)
		for _, linux := range []string{"poller/epoll.go", "internal/sockets/io_linux.go", "internal/sockets/options_linux.go", "internal/sockets/listen_linux.go"} {
			if text, ok := files[linux]; !ok || text != nil {
				t.Errorf("%s: %s is compiled", system, linux)
			}
		}
		for _, common := range []string{"poller/kqueue.go", "poller/kqueue_filters.go", "internal/sockets/io_bsd.go"} {
			own[common] = ""
		}
		for path, original := range own {
			if original == "" {
				original = path
			}
			sameText(t, original, files[path])
		}
	}
}

func sameText(t *testing.T, original string, copied []byte) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", original))
	if err != nil {
		t.Fatal(err)
	}
	want, got := strings.Split(string(text), "\n"), strings.Split(string(copied), "\n")
	if len(want) != len(got) {
		t.Fatalf("%s has %d lines, %d under test", original, len(want), len(got))
	}
	for i := range want {
		may := strings.HasPrefix(want[i], "//go:build ") || strings.Contains(want[i], realImport)
		if want[i] != got[i] && !may {
			t.Errorf("%s:%d: %q, under test %q", original, i+1, want[i], got[i])
		}
	}
}
