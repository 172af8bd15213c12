package eddy_test

import (
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"
)

// documented reads a package as go doc does, with its examples.
func documented(t *testing.T, dir string) *doc.Package {
	t.Helper()
	p, err := build.ImportDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range slices.Concat(p.GoFiles, p.XTestGoFiles) {
		file, err := parser.ParseFile(set, filepath.Join(dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	described, err := doc.NewFromFiles(set, files, module+"/"+dir)
	if err != nil {
		t.Fatal(err)
	}
	return described
}

// These are the packages that programs import; the others serve the engine.
func TestEveryExportedTypeHasAnExample(t *testing.T) {
	for _, dir := range []string{".", "http1", "nethttp", "eddytls", "httpparse", "asynclog"} {
		types := documented(t, dir).Types
		if len(types) == 0 {
			t.Errorf("%s: no types were found", dir)
		}
		for _, typ := range types {
			if len(typ.Examples) == 0 {
				t.Errorf("%s: write func Example%s() with an // Output:", dir, typ.Name)
			}
		}
	}
}

func TestEveryExportedNameHasAComment(t *testing.T) {
	for _, dir := range []string{".", "http1", "nethttp", "eddytls", "httpparse", "asynclog", "loop", "poller", "buffers"} {
		p := documented(t, dir)
		check := func(name, comment string) {
			if comment == "" {
				t.Errorf("%s: %s has no comment", dir, name)
			}
		}
		check("package "+p.Name, p.Doc)
		funcs := p.Funcs
		for _, typ := range p.Types {
			check(typ.Name, typ.Doc)
			funcs = slices.Concat(funcs, typ.Funcs, typ.Methods)
		}
		for _, f := range funcs {
			check(f.Recv+"."+f.Name, f.Doc)
		}
	}
}
