package eddy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// foreign matches names of other software: packages of other modules, commands, manual
// pages, sysctls, names of the kernel, parts of HTTP messages, and placeholders.
var foreign = regexp.MustCompile(`^(` + strings.Join([]string{
	`(http|io|log|net|os|runtime|slog)\.[A-Z].*`, `golang\.org/x/sys/unix`,
	`(cd|curl|dmesg|go|nc|nstat|prlimit|slowhttptest|ss|strace|taskset|ulimit|unshare|wrk)( .*)?`,
	`\w+\([1-9]\)`, `(net|fs|kern)(\.[\w-]+)+`, `ip_local_port_range`, `clock_gettime`, `epoll_ctl`, `writev`,
	`(SO|O)_[A-Z_]+`, `EPOLLEXCLUSIVE`, `LimitNOFILE=`, `nofile`, `/proc/net/sockstat`, `/debug/vars`,
	`Connection: close`, `X-Forwarded-For`, `http://user@host/`, `"<>\\\^\{\|\}`, `%`, `\.\.`,
	`-[A-Z]`, `example\*_test\.go`,
}, "|") + `)$`)

// names is an index of the source files of this repository.
type names struct {
	members  map[string]map[string]bool // by package.Type, with all types: fields and methods
	embedded map[string][]string        // by package.Type: embedded types, or the type of an alias
	declared map[string]bool            // package.Name, and Name of everything in the repository
	literals map[string]bool            // strings, such as log messages
	flags    map[string]bool
}

func TestNamesInDocumentationExist(t *testing.T) {
	n := &names{map[string]map[string]bool{}, map[string][]string{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") {
			n.add(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(files, "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md") {
		text, err := os.ReadFile(path)
		if os.IsNotExist(err) && path == "CONTRIBUTING.md" {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for line, span := range spans(string(text)) {
			for _, name := range span {
				if !n.known(name) {
					t.Errorf("%s:%d: `%s` does not exist", path, line+1, name)
				}
			}
		}
	}
	for _, wrong := range []string{"Conn.Wrote", "http1.Options.MaxConns", "eddy.Knew", "http1.Conn.Write", "loop/nowhere.go", "-nonsense", "TestNothing", "a line of no log"} {
		if n.known(wrong) {
			t.Errorf("`%s` passes", wrong)
		}
	}
}

// spans returns the inline code by line, without blocks of code. Released versions in a
// changelog keep their names.
func spans(text string) [][]string {
	inline := regexp.MustCompile("`([^`\n]+)`")
	var all [][]string
	block, releases := false, 0
	for line := range strings.Lines(text) {
		var found []string
		if strings.HasPrefix(line, "```") {
			block = !block
		} else if strings.HasPrefix(line, "## Unreleased") || releases > 0 && strings.HasPrefix(line, "## ") {
			releases++
		}
		if !block && releases < 2 {
			for _, m := range inline.FindAllStringSubmatch(line, -1) {
				found = append(found, m[1])
			}
		}
		all = append(all, found)
	}
	return all
}

// known reports whether the name exists: as a path, a declaration, a flag or a string.
func (n *names) known(name string) bool {
	if foreign.MatchString(name) {
		return !slices.ContainsFunc(strings.Fields(name), func(word string) bool {
			return strings.HasPrefix(word, "./") && !exists(word)
		})
	}
	if flag, ok := strings.CutPrefix(name, "-"); ok {
		flag, _, _ = strings.Cut(flag, " ")
		return n.flags[flag]
	}
	if exists(name) || n.literals[name] {
		return true
	}
	if strings.ContainsAny(name, " /") && !strings.Contains(name, "(") { // a message, in part
		for literal := range n.literals {
			if strings.Contains(literal, strings.TrimSuffix(name, "...")) {
				return true
			}
		}
		return false
	}
	name, _, _ = strings.Cut(strings.TrimLeft(name, "*&"), "(")
	name, _, _ = strings.Cut(name, "[")
	return n.resolve(strings.Split(name, "."))
}

// exists reports whether a file or a folder has this path, or this name in a main folder.
func exists(name string) bool {
	name = strings.TrimPrefix(name, module+"/")
	for _, dir := range []string{".", "docs", "examples", "loop", "http1"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// resolve looks up Name, package.Name, Type.Member or package.Type.Member.
func (n *names) resolve(parts []string) bool {
	switch len(parts) {
	case 1:
		return n.declared[parts[0]]
	case 2:
		if n.declared[parts[0]+"."+parts[1]] || len(parts[0]) == 1 && n.declared[parts[1]] { // as in w.Write
			return true
		}
		for typ := range n.members {
			if strings.HasSuffix(typ, "."+parts[0]) && n.member(typ, parts[1]) {
				return true
			}
		}
	case 3:
		return n.member(parts[0]+"."+parts[1], parts[2])
	}
	return false
}

func (n *names) member(typ, name string) bool {
	return n.members[typ][name] || slices.ContainsFunc(n.embedded[typ], func(other string) bool { return n.member(other, name) })
}

// add indexes a file.
func (n *names) add(t *testing.T, path string) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	pkg := file.Name.Name
	declare := func(typ, name string) {
		switch {
		case typ == "":
			n.declared[pkg+"."+name] = true
		case n.members[typ] == nil:
			n.members[typ] = map[string]bool{name: true}
		default:
			n.members[typ][name] = true
		}
		n.declared[name] = true
	}
	declare("", pkg)
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			typ := ""
			if d.Recv != nil {
				typ = typeName(pkg, d.Recv.List[0].Type)
			}
			declare(typ, d.Name.Name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					declare("", spec.Name.Name)
					n.addType(pkg, spec, declare)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						declare("", name.Name)
					}
				}
			}
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch e := node.(type) {
		case *ast.BasicLit:
			if s, err := strconv.Unquote(e.Value); err == nil && !strings.HasSuffix(path, "_test.go") {
				n.literals[s] = true
			}
		case *ast.CallExpr:
			n.addFlag(e)
		}
		return true
	})
}

func (n *names) addType(pkg string, spec *ast.TypeSpec, declare func(typ, name string)) {
	typ := pkg + "." + spec.Name.Name
	if n.members[typ] == nil {
		n.members[typ] = map[string]bool{}
	}
	var fields *ast.FieldList
	switch d := spec.Type.(type) {
	case *ast.StructType:
		fields = d.Fields
	case *ast.InterfaceType:
		fields = d.Methods
	default:
		n.embedded[typ] = append(n.embedded[typ], typeName(pkg, d))
		return
	}
	for _, field := range fields.List {
		for _, name := range field.Names {
			declare(typ, name.Name)
		}
		if len(field.Names) == 0 {
			n.embedded[typ] = append(n.embedded[typ], typeName(pkg, field.Type))
		}
	}
}

// addFlag records the name of a flag: the first string of a call such as flag.Int.
func (n *names) addFlag(call *ast.CallExpr) {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !regexp.MustCompile(`^(Bool|Int|Int64|Float64|Duration|String)?(Var)?$`).MatchString(f.Sel.Name) {
		return
	}
	for _, arg := range call.Args {
		if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			n.flags[strings.Trim(lit.Value, `"`)] = true
			return
		}
	}
}

// typeName is package.Type of an expression, without pointers and type parameters.
func typeName(pkg string, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(pkg, e.X)
	case *ast.IndexExpr:
		return typeName(pkg, e.X)
	case *ast.IndexListExpr:
		return typeName(pkg, e.X)
	case *ast.Ident:
		return pkg + "." + e.Name
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			return x.Name + "." + e.Sel.Name
		}
	}
	return ""
}
