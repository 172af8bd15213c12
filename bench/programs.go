package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
)

// comet is the example that the comet scenario measures, for both of its peers.
const comet = "github.com/eddynet/eddy/examples/comet"

// programs are the built servers and the load generator, in a temporary folder.
type programs struct {
	folder   string
	versions map[string]string
	noFloor  bool // there is no C compiler
}

// program is the name of a peer's executable.
func (s scenario) program(peer string) string {
	switch {
	case isOld(peer):
		return oldProgram(peer)
	case s.protocol == "comet":
		return "comet"
	case s.protocol == "parser":
		return "parse.test"
	case s.protocol == "websocket" && peer == "eddy":
		return "probe"
	}
	return peer
}

// build compiles the programs for the scenarios, old ones from the commit against.
func build(ctx context.Context, folder string, list []scenario, against string) (*programs, error) {
	p := &programs{folder: folder, versions: map[string]string{}}
	wanted := map[string]bool{}
	for _, s := range list {
		for _, peer := range s.peers {
			wanted[s.program(peer)] = true
		}
		if s.share > 0 {
			wanted["eddy"] = true // it is measured for the rate
		}
	}
	packages := []string{"./load"}
	var old []string
	for name := range wanted {
		var err error
		if isOld(name) {
			old = append(old, name)
			continue
		}
		switch name {
		case "floor":
			err = p.buildFloor()
		case "parse.test":
			err = compile("test", "-c", "-o", p.path(name), ".")
		case "probe": // a nested module
			err = compile("build", "-C", filepath.Join("..", "examples", "probe"), "-o", p.path(name), ".")
		case "comet":
			packages = append(packages, comet)
		default:
			packages = append(packages, "./servers/"+name)
		}
		if err != nil {
			return nil, err
		}
	}
	args := []string{"build", "-o", folder + string(filepath.Separator)}
	if err := compile(append(args, packages...)...); err != nil {
		return nil, err
	}
	if err := p.findVersions(); err != nil || old == nil {
		return p, err
	}
	return p, p.buildOld(ctx, against, old)
}

// compile runs the go command.
func compile(args ...string) error {
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w (run it in bench/)\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (p *programs) buildFloor() error {
	compiler, err := exec.LookPath("gcc")
	if err != nil {
		p.noFloor = true
		return nil
	}
	args := []string{"-O2", "-Wall", "-o", filepath.Join(p.folder, "floor"), "servers/floor/floor.c"}
	if out, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("gcc %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	version, err := exec.Command(compiler, "--version").Output()
	first, _, _ := strings.Cut(string(version), "\n")
	p.versions["floor"] = first
	return err
}

// findVersions records the versions for the tables.
func (p *programs) findVersions() error {
	modules := map[string]string{
		"fasthttp": "github.com/valyala/fasthttp",
		"gnet":     "github.com/panjf2000/gnet/v2",
		"evio":     "github.com/tidwall/evio",
		"nbio":     "github.com/lesismal/nbio",
		"hertz":    "github.com/cloudwego/hertz",
		"gorilla":  "github.com/gorilla/websocket",
	}
	for peer, path := range modules {
		out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", path).Output()
		if err != nil {
			return fmt.Errorf("go list -m %s: %w", path, err)
		}
		p.versions[peer] = strings.TrimSpace(string(out))
	}
	revision, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err == nil { // without git the version is unknown
		p.versions["eddy"] = strings.TrimSpace(string(revision))
		p.versions["adapter"] = p.versions["eddy"]
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		p.versions["nethttp"], p.versions["net"] = info.GoVersion, info.GoVersion
	}
	return nil
}

// path is the path of a built program.
func (p *programs) path(name string) string { return filepath.Join(p.folder, name) }

// command is the program of a peer in a scenario, and its arguments.
func (p *programs) command(s scenario, peer, address string) []string {
	program := p.path(s.program(peer))
	switch {
	case peer == "floor" && s.protocol == "echo":
		return []string{program, address, "echo"}
	case peer == "floor":
		return []string{program, address}
	case s.protocol == "comet" && peer == "nethttp":
		return []string{program, "-listen", address, "-nethttp"}
	case s.protocol == "echo":
		return []string{program, "-listen", address, "-echo"}
	case newest(peer) == "eddy" && s.path == "/count":
		return []string{program, "-listen", address, "-count"}
	}
	return []string{program, "-listen", address}
}

// reportsCounts reports whether the program answers SIGUSR1: see internal/common.
func reportsCounts(s scenario, peer string) bool {
	switch s.program(peer) {
	case "floor", "comet", "probe":
		return false
	}
	return true
}

// have reports whether a tool is installed.
func have(tool string) bool {
	_, err := exec.LookPath(tool)
	return err == nil
}

// temporary returns a folder for the programs, and a function that removes it.
func temporary() (folder string, remove func(), err error) {
	folder, err = os.MkdirTemp("", "bench")
	return folder, func() { os.RemoveAll(folder) }, err
}
