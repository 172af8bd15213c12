package http1_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// row is one row of the table: see testdata/conformance/README.md.
type row struct {
	name     string // rule and ordinal
	rule     int
	where    string // file and line
	fin      bool
	statuses []int
	refused  bool // the last answer is a refusal
	closes   bool
	sent     string
	saw      []string // once for each answer of the handler
}

// table is all rows, and which rules are covered in another way.
type table struct {
	t       *testing.T
	rows    []*row
	titles  map[int]string
	inCode  map[int][]string // names of tests
	covered map[int]bool

	// Where the reading stands.
	names map[string]string
	where string
	rule  int
	count int
	open  []*row // the rows that the indented lines belong to
}

func readTable(t *testing.T) *table {
	files, err := filepath.Glob("testdata/conformance/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no table: %v", err)
	}
	x := &table{t: t, titles: map[int]string{}, inCode: map[int][]string{}, covered: map[int]bool{}}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		x.names = map[string]string{}
		for i, line := range strings.Split(string(text), "\n") {
			x.where = fmt.Sprintf("%s:%d", filepath.Base(file), i+1)
			x.readLine(line)
		}
	}
	for _, r := range x.rows {
		x.complete(r)
	}
	return x
}

func (x *table) fail(format string, args ...any) {
	x.t.Helper()
	x.t.Fatalf("%s: %s", x.where, fmt.Sprintf(format, args...))
}

func (x *table) readLine(line string) {
	switch {
	case line == "" || line[0] == '#':
	case strings.HasPrefix(line, "  "):
		x.readSeen(strings.TrimSpace(line))
	case strings.HasPrefix(line, "let "):
		name, tokens, _ := strings.Cut(line[len("let "):], " ")
		x.names[name] = x.expand(tokens)[0]
	case strings.HasPrefix(line, "rule "):
		number, title, _ := strings.Cut(line[len("rule "):], ": ")
		rule, err := strconv.Atoi(number)
		if err != nil || x.titles[rule] != "" {
			x.fail("rule %q", number)
		}
		x.rule, x.count = rule, 0
		x.titles[rule] = title
	case strings.HasPrefix(line, "in code: "):
		x.inCode[x.rule] = strings.Fields(line[len("in code: "):])
		x.covered[x.rule] = true
	case strings.HasPrefix(line, "elsewhere: "):
		x.covered[x.rule] = true
	default:
		x.readRow(line)
	}
}

// readRow takes "200 400! | TOKENS".
func (x *table) readRow(line string) {
	outcome, tokens, ok := strings.Cut(line, " | ")
	if !ok || x.rule == 0 {
		x.fail("neither a row nor a directive: %q", line)
	}
	r := row{rule: x.rule, where: x.where}
	outcome, r.fin = strings.CutPrefix(outcome, "fin: ")
	for _, word := range strings.Fields(outcome) {
		if r.closes {
			x.fail("outcome behind the end: %q", word)
		}
		if word == "close" {
			r.closes = true
			continue
		}
		word, r.refused = strings.CutSuffix(word, "!")
		r.closes = r.refused
		status, err := strconv.Atoi(word)
		if err != nil {
			x.fail("outcome %q", word)
		}
		r.statuses = append(r.statuses, status)
	}
	x.covered[x.rule] = true
	x.open = x.open[:0]
	for _, sent := range x.expand(tokens) {
		x.count++
		one := r
		one.sent = sent
		one.name = fmt.Sprintf("%d.%d", x.rule, x.count)
		x.rows = append(x.rows, &one)
		x.open = append(x.open, &one)
	}
}

// readSeen takes one line of what the handler saw.
func (x *table) readSeen(line string) {
	if len(x.open) == 0 {
		x.fail("no row above")
	}
	for _, r := range x.open {
		word, _, _ := strings.Cut(line, " ")
		switch word {
		case "field", "body", "trailer", "no":
			if len(r.saw) == 0 {
				x.fail("no request line above")
			}
			r.saw[len(r.saw)-1] += line + "\n"
		default:
			r.saw = append(r.saw, line+"\n")
		}
	}
}

// complete fills in what is seen unless a row says something else.
func (x *table) complete(r *row) {
	x.where = r.where
	answered := len(r.statuses)
	if r.refused {
		answered--
	}
	if answered != len(r.saw) {
		x.fail("%d answers by the handler, %d requests that it saw", answered, len(r.saw))
	}
	for i, saw := range r.saw {
		lines := strings.SplitAfter(strings.TrimSuffix(saw, "\n"), "\n")
		var fields, body, trailers string
		for _, line := range lines[1:] {
			switch line = strings.TrimSuffix(line, "\n") + "\n"; line[0] {
			case 'f', 'n':
				fields += line
			case 'b':
				body += line
			case 't':
				trailers += line
			}
		}
		if fields == "" {
			fields = "field Host \"a\"\n"
		}
		if body == "" {
			body = "body \"\"\n"
		}
		r.saw[i] = strings.TrimSuffix(lines[0], "\n") + "\n" + fields + body + trailers
	}
}

// expand returns the bytes that tokens stand for: several strings where they hold a
// set of bytes.
func (x *table) expand(tokens string) []string {
	all := []string{""}
	for tokens = strings.TrimSpace(tokens); tokens != ""; tokens = strings.TrimSpace(tokens) {
		var next []string
		var choice []string
		choice, tokens = x.token(tokens)
		for _, prefix := range all {
			for _, c := range choice {
				next = append(next, prefix+c)
			}
		}
		all = next
	}
	return all
}

// token takes the first token, and returns what it may stand for, and the rest.
func (x *table) token(tokens string) (choice []string, rest string) {
	if tokens[0] == '[' {
		set, rest, ok := strings.Cut(tokens[1:], "]")
		if !ok {
			x.fail("no end of the set %q", tokens)
		}
		return x.set(set), rest
	}
	times := 1
	if n, behind, ok := strings.Cut(tokens, "*"); ok && strings.Trim(n, "0123456789") == "" {
		times, _ = strconv.Atoi(n)
		tokens = behind
	}
	if tokens[0] == '"' {
		quoted, err := strconv.QuotedPrefix(tokens)
		if err != nil {
			x.fail("token %q: %v", tokens, err)
		}
		text, _ := strconv.Unquote(quoted)
		return []string{strings.Repeat(text, times)}, tokens[len(quoted):]
	}
	name, rest, _ := strings.Cut(tokens, " ")
	text, ok := x.names[name]
	if !ok {
		x.fail("no such name: %q", name)
	}
	return []string{strings.Repeat(text, times)}, rest
}

// set takes "00-1f 7f".
func (x *table) set(list string) (bytes []string) {
	for _, part := range strings.Fields(list) {
		from, to, ok := strings.Cut(part, "-")
		if !ok {
			to = from
		}
		low, err := strconv.ParseUint(from, 16, 8)
		high, err2 := strconv.ParseUint(to, 16, 8)
		if err != nil || err2 != nil {
			x.fail("set %q", list)
		}
		for c := low; c <= high; c++ {
			bytes = append(bytes, string([]byte{byte(c)}))
		}
	}
	return bytes
}
