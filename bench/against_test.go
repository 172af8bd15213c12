package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestOldBuildIsMeasuredTwiceBesideTheNewOne(t *testing.T) {
	c, err := parseConfig(strings.Fields("-against HEAD -scenario plaintext-64,post-1m-streamed,websocket,adapter"), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	both := []string{"eddy", "adapter", "eddy-old", "eddy-old-again", "adapter-old", "adapter-old-again"}
	for i, want := range [][]string{both, both, {"adapter", "adapter-old", "adapter-old-again"}} { // websocket is an example
		if got := c.scenarios[i]; !slices.Equal(got.peers, want) {
			t.Errorf("%s has %v, want %v", got.Name, got.peers, want)
		}
	}
	p := programs{folder: "f"}
	for _, peer := range []string{"eddy-old", "eddy-old-again"} {
		if got := strings.Join(p.command(c.scenarios[1], peer, "a"), " "); got != "f/eddy-old -listen a -count" {
			t.Error(got)
		}
	}
	c, err = parseConfig(strings.Fields("-against HEAD -scenario json -peer eddy,gnet"), io.Discard)
	if err != nil || !slices.Equal(c.scenarios[0].peers, []string{"eddy", "gnet", "eddy-old", "eddy-old-again"}) {
		t.Errorf("%v, %+v", err, c.scenarios)
	}
}

func TestRatioOfTheOldBuildsIsTheNoise(t *testing.T) {
	r := &report{Machine: machine{ServerCPUs: "1", ClientCPUs: "0"}, Runs: []run{
		sampleRun("eddy", 1, 11), sampleRun("eddy-old", 1, 10), sampleRun("eddy-old-again", 1, 12),
		sampleRun("eddy", 2, 22), sampleRun("eddy-old", 2, 20), sampleRun("eddy-old-again", 2, 18),
	}}
	var out strings.Builder
	if err := r.show(&out, markdown); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| eddy-old | 15.00 (10.00–20.00) |",
		"| eddy / eddy-old | 1.10 | 1.10 | load, server on 1 |\n",
		"| eddy-old-again / eddy-old | 1.05 (0.90–1.20) | 1.05 | load, server on 1 |\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// repository makes the working directory bench/ of a repository with one commit, which has
// a server named eddy.
func repository(t *testing.T) {
	t.Helper()
	if !have("git") {
		t.Skip("git is not installed")
	}
	root := t.TempDir()
	for name, text := range map[string]string{
		"bench/go.mod":               "module example.com/bench\n\ngo 1.26\n",
		"bench/servers/eddy/main.go": "package main\n\nfunc main() {}\n",
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(filepath.Join(root, "bench"))
	for _, args := range []string{"-C .. init -q", "-C .. add -A", "-c user.name=a -c user.email=a@example.com commit -q -m one"} {
		if _, err := git(strings.Fields(args)...); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNoWorktreeIsLeft(t *testing.T) {
	repository(t)
	interrupted, interrupt := context.WithCancel(t.Context())
	interrupt()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		commit string
		build  string
		fails  bool
	}{
		{"built", t.Context(), "HEAD", "eddy-old", false},
		{"interrupted", interrupted, "HEAD", "eddy-old", true},
		{"does not compile", t.Context(), "HEAD", "adapter-old", true},
		{"no such commit", t.Context(), "nonsense", "eddy-old", true},
	} {
		p := &programs{folder: t.TempDir(), versions: map[string]string{}}
		err := p.buildOld(c.ctx, c.commit, []string{c.build})
		if (err != nil) != c.fails {
			t.Errorf("%s: error %v", c.name, err)
		}
		if _, err := os.Stat(p.path("eddy-old")); (err != nil) != c.fails {
			t.Errorf("%s: %v", c.name, err)
		}
		trees, err := git("worktree", "list")
		if err != nil || strings.Contains(trees, "\n") {
			t.Errorf("%s: %s %v", c.name, trees, err)
		}
		if _, err := os.Stat(filepath.Join(p.folder, "worktree")); err == nil {
			t.Errorf("%s: the worktree's folder is left", c.name)
		}
	}
}
