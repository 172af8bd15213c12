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
	`(http|io|log|net|os|runtime|slog|tls)\.[A-Z].*`, `golang\.org/x/sys/unix`,
	`GODEBUG=cpu\.avx2=off go test ./httpparse`,
	`(cd|curl|dmesg|go|nc|nstat|prlimit|slowhttptest|ss|strace|taskset|ulimit|unshare|wrk)( .*)?`,
	`\w+\([1-9]\)`, `(net|fs|kern)(\.[\w-]+)+`, `ip_local_port_range`, `clock_gettime`, `epoll_ctl`, `writev`,
	`(SO|O)_[A-Z_]+`, `EPOLLEXCLUSIVE`, `LimitNOFILE=`, `nofile`, `/proc/net/sockstat`, `/debug/vars`,
	`Connection: close`, `X-Forwarded-For`, `http://user@host/`, `"<>\\\^\{\|\}`, `%`, `\.\.`,
	`-[A-Z]`, `example\*_test\.go`,
}, "|") + `)$`)

// names is an index of the source files of this repository.
type names struct {
	known    map[string]bool     // Name, package.Name, Type.Member, package.Type.Member, -flag
	members  map[string][]string // fields and methods, by package.Type
	embedded map[string][]string // embedded types, or the type of an alias, by package.Type
	texts    map[string]bool     // strings, such as log messages
}

func TestNamesInDocumentationExist(t *testing.T) {
	n := index(t)
	files, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(files, "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md") {
		text, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for i, line := range inlineCode(string(text)) {
			for _, name := range line {
				if !n.have(name) {
					t.Errorf("%s:%d: `%s` does not exist", path, i+1, name)
				}
			}
		}
	}
	for _, wrong := range []string{"Conn.Wrote", "http1.Options.MaxConns", "eddy.Knew", "http1.Conn.Write", "loop/nowhere.go", "-nonsense", "TestNothing", "a line of no log"} {
		if n.have(wrong) {
			t.Errorf("`%s` exists", wrong)
		}
	}
}

// inlineCode returns the code in backticks by line, without blocks of code. The sections of
// a changelog after the unreleased one may have old names.
func inlineCode(text string) (lines [][]string) {
	inline := regexp.MustCompile("`([^`\n]+)`")
	if before, after, found := strings.Cut(text, "\n## Unreleased\n"); found {
		after, _, _ = strings.Cut(after, "\n## ")
		text = before + "\n\n" + after
	}
	block := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			block = !block
		}
		var found []string
		if !block {
			for _, m := range inline.FindAllStringSubmatch(line, -1) {
				found = append(found, m[1])
			}
		}
		lines = append(lines, found)
	}
	return lines
}

// have reports whether the name exists: as a path, a declaration, a flag or a string.
func (n *names) have(name string) bool {
	if foreign.MatchString(name) {
		return !slices.ContainsFunc(strings.Fields(name), func(word string) bool {
			return strings.HasPrefix(word, "./") && !exists(word)
		})
	}
	if exists(name) || n.texts[name] {
		return true
	}
	if name[0] == '-' { // a flag and its value
		name, _, _ = strings.Cut(name, " ")
	}
	if strings.Contains(name, " ") { // a part of a message
		for text := range n.texts {
			if strings.Contains(text, strings.TrimSuffix(name, "...")) {
				return true
			}
		}
	}
	name = regexp.MustCompile(`^\*|^[a-z]\.|[([].*`).ReplaceAllString(name, "") // of *T, w.Write, f(x), a[i]
	return n.known[name]
}

// exists reports whether a file or a folder has this path, also below some folders.
func exists(name string) bool {
	name = strings.TrimPrefix(name, module+"/")
	return slices.ContainsFunc([]string{".", "docs", "examples", "loop", "http1", "internal/sockets"}, func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	})
}

func index(t *testing.T) *names {
	n := &names{map[string]bool{}, map[string][]string{}, map[string][]string{}, map[string]bool{}}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err == nil {
			n.add(file, strings.HasSuffix(path, "_test.go"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // levels of embedding
		for typ, others := range n.embedded {
			for _, other := range others {
				for _, name := range n.members[other] {
					n.member(typ, name)
				}
			}
		}
	}
	return n
}

func (n *names) add(file *ast.File, test bool) {
	pkg := file.Name.Name
	n.known[pkg] = true
	declare := func(name string) { n.known[name], n.known[pkg+"."+name] = true, true }
	ast.Inspect(file, func(node ast.Node) bool {
		switch d := node.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				declare(d.Name.Name)
			} else {
				n.member(typeName(pkg, d.Recv.List[0].Type), d.Name.Name)
			}
		case *ast.TypeSpec:
			declare(d.Name.Name)
			n.addType(pkg, d)
		case *ast.ValueSpec:
			for _, name := range d.Names {
				declare(name.Name)
			}
		case *ast.BasicLit:
			if s, err := strconv.Unquote(d.Value); err == nil && !test {
				n.texts[s] = true
			}
		case *ast.CallExpr:
			n.addFlag(d)
		}
		return true
	})
}

// member adds a field or method of a type, which is given as package.Type.
func (n *names) member(typ, name string) {
	_, unqualified, _ := strings.Cut(typ, ".")
	for _, full := range []string{name, typ + "." + name, unqualified + "." + name} {
		n.known[full] = true
	}
	if !slices.Contains(n.members[typ], name) {
		n.members[typ] = append(n.members[typ], name)
	}
}

func (n *names) addType(pkg string, spec *ast.TypeSpec) {
	typ := pkg + "." + spec.Name.Name
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
			n.member(typ, name.Name)
		}
		if field.Names == nil {
			n.embedded[typ] = append(n.embedded[typ], typeName(pkg, field.Type))
		}
	}
}

// addFlag adds the name of a flag: the first string in a call such as flag.Int.
func (n *names) addFlag(call *ast.CallExpr) {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !regexp.MustCompile(`^(Bool|Int|Int64|Float64|Duration|String|)(Var)?$`).MatchString(f.Sel.Name) {
		return
	}
	for _, arg := range call.Args {
		if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			n.known["-"+strings.Trim(lit.Value, `"`)] = true
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
		return typeName("", e.X)[1:] + "." + e.Sel.Name
	}
	return "."
}
