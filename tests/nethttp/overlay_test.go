package nethttp_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// edits make the installed httptest/server.go serve on an engine. Each text must occur
// exactly once.
var edits = [][2]string{
	{"import (\n", "import (\n\t\"github.com/eddynet/eddy/tests/nethttp/adapted\"\n"},
	{"func (s *Server) goServe() {\n", "func (s *Server) goServe() {\n" +
		"\ts.Listener = adapted.Listen(s.Config, s.Listener, s.Config.ExportKeepAlives)\n"},
}

// exports is an additional file of package net/http.
const exports = `package http

func (s *Server) ExportKeepAlives() bool { return s.doKeepAlives() }
`

// overlay writes the argument of go test -overlay, and returns its path.
func overlay(t *testing.T, goroot string) string {
	t.Helper()
	dir := t.TempDir()
	src := filepath.Join(goroot, "src", "net", "http")
	server := filepath.Join(src, "httptest", "server.go")
	text, err := os.ReadFile(server)
	if err != nil {
		t.Fatal(err)
	}
	edited := string(text)
	for _, e := range edits {
		if strings.Count(edited, e[0]) != 1 {
			t.Fatalf("%s does not contain %q exactly once: update edits for this version of Go", server, e[0])
		}
		edited = strings.Replace(edited, e[0], e[1], 1)
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	replace := map[string]string{
		server: write("server.go", edited),
		filepath.Join(src, "export_for_adapted.go"): write("exports.go", exports),
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	return write("overlay.json", string(list))
}
