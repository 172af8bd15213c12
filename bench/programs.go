package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
)

// comet is the example that the comet scenario measures, for both of its peers.
const comet = "github.com/eddynet/eddy/examples/comet"

// programs are the built servers and the load generator, in a folder of their own.
type programs struct {
	folder   string
	versions map[string]string
	noFloor  bool // there is no C compiler
}

// build compiles what the scenarios need.
func build(folder string, list []scenario) (*programs, error) {
	p := &programs{folder: folder, versions: map[string]string{}}
	packages := map[string]string{"load": "./load"}
	for _, s := range list {
		for _, peer := range s.peers {
			switch {
			case s.protocol == "comet":
				packages["comet"] = comet
			case peer != "floor":
				packages[peer] = "./servers/" + peer
			}
		}
	}
	args := []string{"build", "-o", folder + string(filepath.Separator)}
	for _, path := range packages {
		args = append(args, path)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go %s: %w (run it in bench/)\n%s", strings.Join(args, " "), err, out)
	}
	if err := p.buildFloor(); err != nil {
		return nil, err
	}
	return p, p.findVersions()
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

// findVersions notes the modules that the tables name.
func (p *programs) findVersions() error {
	modules := map[string]string{
		"fasthttp": "github.com/valyala/fasthttp",
		"gnet":     "github.com/panjf2000/gnet/v2",
		"evio":     "github.com/tidwall/evio",
		"nbio":     "github.com/lesismal/nbio",
		"hertz":    "github.com/cloudwego/hertz",
	}
	for peer, path := range modules {
		out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", path).Output()
		if err != nil {
			return fmt.Errorf("go list -m %s: %w", path, err)
		}
		p.versions[peer] = strings.TrimSpace(string(out))
	}
	revision, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err == nil { // without git the version stays open
		p.versions["eddy"] = strings.TrimSpace(string(revision))
		p.versions["adapter"] = p.versions["eddy"]
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		p.versions["nethttp"], p.versions["net"] = info.GoVersion, info.GoVersion
	}
	return nil
}

// path is where a program was built.
func (p *programs) path(name string) string { return filepath.Join(p.folder, name) }

// command is the program of a peer in a scenario, and its arguments.
func (p *programs) command(s scenario, peer, address string) []string {
	switch {
	case s.protocol == "comet" && peer == "nethttp":
		return []string{p.path("comet"), "-listen", address, "-nethttp"}
	case s.protocol == "comet":
		return []string{p.path("comet"), "-listen", address}
	case peer == "floor" && s.protocol == "echo":
		return []string{p.path("floor"), address, "echo"}
	case peer == "floor":
		return []string{p.path("floor"), address}
	case s.protocol == "echo":
		return []string{p.path(peer), "-listen", address, "-echo"}
	case peer == "eddy" && s.path == "/count":
		return []string{p.path(peer), "-listen", address, "-count"}
	}
	return []string{p.path(peer), "-listen", address}
}

// tells says whether the program answers SIGUSR1: see internal/common.
func tells(s scenario, peer string) bool { return peer != "floor" && s.protocol != "comet" }

// have says whether a tool is installed.
func have(tool string) bool {
	_, err := exec.LookPath(tool)
	return err == nil
}

// temporary returns a folder for the programs, and what removes it.
func temporary() (folder string, remove func(), err error) {
	folder, err = os.MkdirTemp("", "bench")
	return folder, func() { os.RemoveAll(folder) }, err
}
