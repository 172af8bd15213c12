package eddy_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// programsOf returns the Go blocks of a Markdown file that are whole programs.
func programsOf(t *testing.T, path string) (programs []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split("\n"+string(text), "\n```go\n")[1:]
	for _, block := range blocks {
		code, _, closed := strings.Cut(block, "\n```")
		if !closed {
			t.Fatalf("%s: a block is not closed: %.100q", path, block)
		}
		if strings.HasPrefix(code, "package main\n") {
			programs = append(programs, code+"\n")
		}
	}
	return programs
}

// The programs are compiled where they would stand as examples, without being there.
func TestReadmeProgramsCompile(t *testing.T) {
	programs := programsOf(t, "README.md")
	if len(programs) < 2 {
		t.Fatalf("README.md has %d whole programs, want at least 2: one for HTTP, one for a protocol", len(programs))
	}
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for i, code := range programs {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			dir := t.TempDir()
			real, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
			folder := "readme" + strconv.Itoa(i)
			virtual := filepath.Join(root, "examples", folder, "main.go")
			list, err := json.Marshal(map[string]map[string]string{"Replace": {virtual: real}})
			if err != nil {
				t.Fatal(err)
			}
			for path, content := range map[string]string{real: code, overlay: string(list)} {
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			build := exec.Command("go", "build", "-overlay", overlay, "-o", filepath.Join(dir, "program"), "./examples/"+folder)
			if out, err := build.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s\n%s", err, out, code)
			}
		})
	}
}
