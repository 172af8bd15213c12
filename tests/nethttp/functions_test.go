package nethttp_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// users maps each test function of a package to the tests that call it directly. Many
// tests of net/http, such as TestX, run a function testX for each protocol. A test is its
// own user.
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
