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
	modelFolder = "internal/kqueue" // in the main module; it exists in the overlay only
	modelImport = "github.com/eddynet/eddy/" + modelFolder
)

// platformPackages are those with files for one system only.
var platformPackages = []string{"poller", "internal/sockets", "loop"}

// overlay is the argument of go's -overlay flag. With it, the files of another system are
// compiled for Linux, with the model instead of x/sys/unix. Only that import and the
// build constraint of the files are changed.
type overlay struct {
	root    string // folder of the main module
	scratch string // folder of the changed files
	system  string // a value of GOOS
	replace map[string]string
	used    map[string]bool // names of package unix used by changed files
}

// writeOverlay writes the overlay of a system. It returns the path of the -overlay file.
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

// file includes a file if and only if the system compiles it.
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
		path = folder + strings.Replace(name, "_"+o.system, "_on_model", 1) // the suffix is a constraint too
	}
	return o.put(path, text)
}

var constraint = regexp.MustCompile(`(?m)^//go:build .*$`)

func compiles(system, path string) (bool, error) {
	ctx := build.Default
	ctx.GOOS, ctx.CgoEnabled = system, false
	return ctx.MatchFile(filepath.Dir(path), filepath.Base(path))
}

// redirect makes the file import the model, and records the names that it uses.
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

// put replaces the file at path with text.
func (o *overlay) put(path string, text []byte) error {
	copied := filepath.Join(o.scratch, fmt.Sprintf("%d_%s", len(o.replace), filepath.Base(path)))
	o.replace[path] = copied
	return os.WriteFile(copied, text, 0o600)
}
