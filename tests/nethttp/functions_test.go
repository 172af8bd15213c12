package nethttp_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// users says by which tests each function of a package's test files is used directly: many
// tests of net/http leave their work to a function, testX for TestX, that runs for each
// protocol. A test uses itself.
func users(t *testing.T, goroot, pkg string) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(goroot, "src", filepath.FromSlash(pkg), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	used := map[string][]string{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") || strings.HasSuffix(f.Name.Name, "_h2") {
				continue
			}
			used[f.Name.Name] = append(used[f.Name.Name], f.Name.Name)
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && strings.HasPrefix(id.Name, "test") {
					used[id.Name] = append(used[id.Name], f.Name.Name)
				}
				return true
			})
		}
	}
	return used
}
