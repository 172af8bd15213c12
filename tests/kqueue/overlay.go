package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	realImport  = "golang.org/x/sys/unix"
	modelFolder = "internal/kqueue" // of the main module, where it exists in the overlay only
	modelImport = "github.com/eddynet/eddy/" + modelFolder
)

// platformPackages are those with files for one system only.
var platformPackages = []string{"poller", "internal/sockets", "loop"}

// overlay is the argument of go's -overlay flag: with it, Linux compiles the files of
// another system, which use the model in place of x/sys/unix. Nothing in their text
// changes but that import, and the constraint that keeps them from Linux.
type overlay struct {
	root    string // of the main module
	scratch string // where the changed files go
	system  string // as GOOS has it
	replace map[string]string
	used    map[string]bool // names that changed files use of package unix
}

// writeOverlay makes the overlay for a system, and returns the path of its description.
func writeOverlay(root, scratch, system string) (string, error) {
	o := &overlay{root: root, scratch: scratch, system: system, replace: map[string]string{}, used: map[string]bool{}}
	for _, folder := range platformPackages {
		files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
		if err != nil {
			return "", err
		}
		for _, file := range files {
			if err := o.file(file); err != nil {
				return "", err
			}
		}
	}
	if err := o.model(); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": o.replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(scratch, "overlay.json")
	return path, os.WriteFile(path, text, 0o600)
}

// file has Linux compile a file if and only if the system would.
func (o *overlay) file(path string) error {
	here, err := compiles("linux", path)
	if err != nil {
		return err
	}
	there, err := compiles(o.system, path)
	switch {
	case err != nil:
		return err
	case here && !there:
		o.replace[path] = "" // no such file
		return nil
	case !there:
		return nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.HasSuffix(path, "_test.go") {
		if err := o.redirect(path, &text); err != nil {
			return err
		}
	}
	if !here {
		text = constraint.ReplaceAll(text, []byte("//go:build linux"))
		folder, name := filepath.Split(path)
		path = folder + strings.Replace(name, "_"+o.system, "_on_model", 1) // that name is a constraint too
	}
	return o.put(path, text)
}

var constraint = regexp.MustCompile(`(?m)^//go:build .*$`)

func compiles(system, path string) (bool, error) {
	ctx := build.Default
	ctx.GOOS, ctx.CgoEnabled = system, false
	return ctx.MatchFile(filepath.Dir(path), filepath.Base(path))
}

// redirect has the file import the model, and notes which names it uses of it.
func (o *overlay) redirect(path string, text *[]byte) error {
	parsed, err := parser.ParseFile(token.NewFileSet(), path, *text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "unix" {
				o.used[s.Sel.Name] = true
			}
		}
		return true
	})
	*text = bytes.Replace(*text, []byte(`"`+realImport+`"`), []byte(`unix "`+modelImport+`"`), 1)
	return nil
}

// put has the compiler read text where path is.
func (o *overlay) put(path string, text []byte) error {
	copied := filepath.Join(o.scratch, fmt.Sprintf("%d_%s", len(o.replace), filepath.Base(path)))
	o.replace[path] = copied
	return os.WriteFile(copied, text, 0o600)
}
