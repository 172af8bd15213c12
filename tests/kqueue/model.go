package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// model adds the model to the main module, with aliases for the names that only the real
// package has.
func (o *overlay) model() error {
	here, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	model, err := build.ImportDir(filepath.Join(here, "unix"), 0)
	if err != nil {
		return err
	}
	real, err := build.Import(realImport, here, 0)
	if err != nil {
		return err
	}
	text, err := o.remainder(model, real)
	if err != nil {
		return err
	}
	folder := filepath.Join(o.root, modelFolder)
	for _, file := range model.GoFiles {
		o.replace[filepath.Join(folder, file)] = filepath.Join(model.Dir, file)
	}
	return o.put(filepath.Join(folder, "remainder.go"), []byte(text))
}

// remainder declares the used names that are missing in the model.
func (o *overlay) remainder(model, real *build.Package) (string, error) {
	own, err := declarations(model)
	if err != nil {
		return "", err
	}
	others, err := declarations(real)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "package unix\n\nimport %q\n\n", realImport)
	for _, name := range slices.Sorted(maps.Keys(o.used)) {
		if _, ok := own[name]; ok {
			continue
		}
		kind, ok := others[name]
		if !ok {
			return "", fmt.Errorf("unix.%s is missing on Linux: add it to the model in tests/kqueue/unix", name)
		}
		fmt.Fprintf(&text, "%s %s = unix.%s\n", kind, name, name)
	}
	return text.String(), nil
}

// declarations returns the top-level names of a package, with the keyword to declare an
// alias of each.
func declarations(p *build.Package) (map[string]token.Token, error) {
	names := map[string]token.Token{}
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					names[d.Name.Name] = token.VAR
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						names[spec.Name.Name] = token.TYPE
					case *ast.ValueSpec:
						for _, n := range spec.Names {
							names[n.Name] = d.Tok
						}
					}
				}
			}
		}
	}
	return names, nil
}
