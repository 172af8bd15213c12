package eddy_test

import (
	"encoding/json"
	"errors"
	"go/build/constraint"
	"go/parser"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/eddynet/eddy"

// importRules say which of our packages a package may import. The first that fits
// its folder counts. A new package needs a rule here.
var importRules = []struct {
	folder string // with all below it, if it ends in /...
	may    []string
}{
	{"poller", nil},
	{"buffers", nil},
	{"httpparse", nil},
	{"asynclog", nil},
	{"internal/leak", nil}, // for tests
	{"internal/defaults", nil},
	{"internal/sockets", nil},
	{"internal/wheel", nil},
	{"internal/watchdog", nil},
	{"internal/reclaim", nil},
	{"internal/lifetime", nil},
	{"internal/workpool", nil},
	{"internal/slots", []string{"poller"}},
	{"internal/outbox", []string{"buffers"}},
	{"workers", []string{"asynclog", "internal/defaults"}},
	{"loop", []string{"poller", "buffers", "asynclog", "internal/outbox", "internal/slots", "internal/sockets", "internal/wheel", "internal/watchdog"}},
	{"http1", []string{"loop", "httpparse", "buffers", "internal/defaults", "internal/lifetime", "internal/workpool"}},
	{"nethttp", []string{"http1", "loop", "httpparse", "buffers", "internal/lifetime"}},
	// HTTP is one protocol among others: the root does not know it.
	{"", []string{"loop", "buffers", "asynclog", "internal/defaults", "internal/reclaim", "internal/sockets", "internal/watchdog"}},
	{"eddytls", []string{"loop", "buffers", "internal/defaults"}},
	{"eddytest", []string{"", "loop", "internal/leak"}},
	{"internal/testlayer", []string{"loop"}}, // for tests
	{"examples/...", []string{"", "http1", "nethttp", "eddytls", "httpparse", "workers", "asynclog", "examples/internal/..."}},
}

// externals are the modules that ours may depend on.
var externals = []string{"golang.org/x/sys", "github.com/valyala/bytebufferpool"}

// systems are those the engine is built for.
var systems = []string{"linux", "darwin", "freebsd", "netbsd", "openbsd", "dragonfly"}

// listed is what go list tells of a package.
type listed struct {
	ImportPath string
	Imports    []string
	Standard   bool
	Module     *struct{ Path string }
}

func goList(t *testing.T, system string, args ...string) (packages []listed) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Standard,Module"}, args...)...)
	cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// folderOf is a package's folder in this module, "" for the root.
func folderOf(importPath string) (folder string, ours bool) {
	if importPath == module {
		return "", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

func within(folder, pattern string) bool {
	above, all := strings.CutSuffix(pattern, "/...")
	return folder == above || all && strings.HasPrefix(folder, above+"/")
}

func TestImportsPointDown(t *testing.T) {
	for _, system := range systems {
		for _, p := range goList(t, system, "./...") {
			checkImports(t, system, p)
		}
	}
}

func checkImports(t *testing.T, system string, p listed) {
	t.Helper()
	from, _ := folderOf(p.ImportPath)
	for _, rule := range importRules {
		if !within(from, rule.folder) {
			continue
		}
		for _, path := range p.Imports {
			to, ours := folderOf(path)
			fits := func(pattern string) bool { return within(to, pattern) }
			if ours && !slices.ContainsFunc(rule.may, fits) {
				t.Errorf("on %s, %s imports %s, which it may not: see importRules", system, p.ImportPath, path)
			}
		}
		return
	}
	t.Errorf("%s has no rule in importRules", p.ImportPath)
}

func TestDependenciesAreTwo(t *testing.T) {
	for _, system := range systems {
		for _, p := range goList(t, system, "-deps", "./...") {
			if p.Standard || p.Module == nil || p.Module.Path == module {
				continue
			}
			if !slices.Contains(externals, p.Module.Path) {
				t.Errorf("on %s, the module depends on %s, of %s: give what needs it a module of its own", system, p.ImportPath, p.Module.Path)
			}
		}
	}
}

// sources yields the Go files of this module, with their paths in it. Folders with a
// go.mod of their own are other modules.
func sources(t *testing.T, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !d.IsDir():
			if filepath.Ext(path) == ".go" {
				visit(filepath.ToSlash(path))
			}
			return nil
		case path == ".":
			return nil
		case strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata":
			return fs.SkipDir
		}
		if _, err := os.Stat(filepath.Join(path, "go.mod")); !errors.Is(err, fs.ErrNotExist) {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// platformFolders are those that may have files for one platform only: sockets and
// their readiness, how processes learn of each other's end, and the parser's
// assembly.
var platformFolders = []string{"poller", "internal/sockets", "workers", "httpparse"}

// platforms are the words in file names and build constraints that select an
// operating system, an architecture, or cgo.
var platforms = strings.Fields(`
	aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos
	386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm
	unix cgo`)

func TestPlatformsStayInTheirFolders(t *testing.T) {
	sources(t, func(path string) {
		if slices.Contains(platformFolders, filepath.ToSlash(filepath.Dir(path))) || strings.HasSuffix(path, "_test.go") {
			return
		}
		words := strings.Split(strings.TrimSuffix(filepath.Base(path), ".go"), "_")[1:]
		for _, word := range append(words, constraintsOf(t, path)...) {
			if slices.Contains(platforms, word) {
				t.Errorf("%s is for %s only: such files belong into %v", path, word, platformFolders)
			}
		}
	})
}

// constraintsOf returns the tags that a file's build constraint names.
func constraintsOf(t *testing.T, path string) (tags []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if group.Pos() > file.Package || !constraint.IsGoBuild(comment.Text) {
				continue
			}
			x, err := constraint.Parse(comment.Text)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			x.Eval(func(tag string) bool { tags = append(tags, tag); return true })
			x.Eval(func(tag string) bool { tags = append(tags, tag); return false })
		}
	}
	return tags
}

func TestReadinessAPIsAreNamedInPollerOnly(t *testing.T) {
	sources(t, func(path string) {
		if strings.HasPrefix(path, "poller/") {
			return
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var s scanner.Scanner
		files := token.NewFileSet()
		s.Init(files.AddFile(path, -1, len(text)), text, nil, 0)
		for {
			at, tok, name := s.Scan()
			if tok == token.EOF {
				return
			}
			for _, prefix := range []string{"EPOLL", "EV_", "EVFILT_"} {
				if tok == token.IDENT && strings.HasPrefix(name, prefix) {
					t.Errorf("%v: %s belongs into poller/", files.Position(at), name)
				}
			}
		}
	})
}
