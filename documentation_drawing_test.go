package eddy_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/architecture.svg")

// box is a package in the drawing. The module's own packages are named by their folder,
// those of others by their path.
type box struct {
	name, label, text string
	row, x, width     int // x is the middle; in pixels
}

// boxes places the packages, from top to bottom. Left out are examples/, and the packages
// that only tests import.
var boxes = []box{
	{"nethttp", "nethttp", "net/http handlers, unchanged", 0, 150, 190},
	{"eddytls", "eddytls", "TLS under any protocol", 0, 330, 150},
	{"eddytest", "eddytest", "tests without sockets", 0, 530, 160},
	{"workers", "workers", "a server as several processes", 0, 765, 200},
	{"http1", "http1", "HTTP/1.1 as a protocol", 1, 190, 170},
	{"", "eddy (the root)", "Engine: listen, dial, drain", 1, 585, 190},
	{"loop", "loop", "event loops, connections, layers, timers", 2, 420, 270},
	{"internal/lifetime", "internal/lifetime", "contexts", 3, 64, 108},
	{"internal/workpool", "internal/workpool", "goroutines", 3, 185, 116},
	{"internal/outbox", "internal/outbox", "output", 3, 301, 100},
	{"internal/slots", "internal/slots", "tokens", 3, 404, 90},
	{"internal/wheel", "internal/wheel", "timers", 3, 503, 94},
	{"internal/watchdog", "internal/watchdog", "blocked loops", 3, 618, 120},
	{"internal/reclaim", "internal/reclaim", "garbage", 3, 738, 104},
	{"internal/defaults", "internal/defaults", "of options", 3, 845, 106},
	{"httpparse", "httpparse", "HTTP/1.1 parser, no I/O", 4, 125, 150},
	{"buffers", "buffers", "pools", 4, 290, 130},
	{"poller", "poller", "epoll, kqueue", 4, 440, 120},
	{"internal/sockets", "internal/sockets", "system calls", 4, 590, 124},
	{"asynclog", "asynclog", "asynchronous slog handler", 4, 765, 180},
	{"golang.org/x/sys/cpu", "golang.org/x/sys/cpu", "", 5, 110, 160},
	{"github.com/valyala/bytebufferpool", "valyala/bytebufferpool", "", 5, 290, 160},
	{"golang.org/x/sys/unix", "golang.org/x/sys/unix", "", 5, 560, 160},
}

const (
	rowHeight, boxHeight = 118, 44
	drawingWidth, top    = 900, 24
)

func (b *box) top() int    { return top + b.row*rowHeight }
func (b *box) bottom() int { return b.top() + b.height() }

func (b *box) height() int {
	if b.text == "" {
		return boxHeight / 2
	}
	return boxHeight
}

// arrow is an import.
type arrow struct{ from, to *box }

// drawnArrows returns the imports among boxes, and fails for a package without one.
func drawnArrows(t *testing.T) (arrows []arrow) {
	t.Helper()
	find := func(name string) *box {
		for i := range boxes {
			if boxes[i].name == name {
				return &boxes[i]
			}
		}
		t.Errorf("%q has no place in the drawing: see boxes", name)
		return nil
	}
	for _, p := range goList(t, "linux", "./...") {
		folder, _ := folderOf(p.ImportPath)
		if strings.HasPrefix(folder, "examples/") || folder == "internal/leak" || folder == "internal/testlayer" {
			continue
		}
		from := find(folder)
		for _, path := range p.Imports {
			name, ours := folderOf(path)
			if !ours && !slices.ContainsFunc(externals, func(e string) bool { return strings.HasPrefix(path, e) }) {
				continue
			}
			if !ours {
				name = path
			}
			to := find(name)
			if from == nil || to == nil {
				continue
			}
			if to.row <= from.row {
				t.Errorf("%s imports %s, which does not stand below it: see boxes", from.label, to.label)
			}
			arrows = append(arrows, arrow{from, to})
		}
	}
	return arrows
}

// spread returns the place of a among the arrows that the same box or gap has, which are
// sorted by the box at their other end: -0.5 to 0.5.
func spread(arrows []arrow, a arrow, other func(arrow) int, same func(arrow) bool) float64 {
	group := slices.DeleteFunc(slices.Clone(arrows), func(b arrow) bool { return !same(b) })
	slices.SortStableFunc(group, func(a, b arrow) int { return cmp.Compare(other(a), other(b)) })
	return (float64(slices.Index(group, a))+0.5)/float64(len(group)) - 0.5
}

func fromX(a arrow) int { return a.from.x }
func toX(a arrow) int   { return a.to.x }

// gap returns the middle of the gap between the boxes of a row that a passes through.
func gap(a arrow, row int) int {
	edges := []int{-20}
	for _, b := range boxes {
		if b.row == row {
			edges = append(edges, b.x-b.width/2, b.x+b.width/2)
		}
	}
	edges = append(edges, drawingWidth+20)
	straight := a.from.x + (a.to.x-a.from.x)*(row-a.from.row)/(a.to.row-a.from.row)
	best := math.MinInt32
	for i := 0; i < len(edges); i += 2 {
		middle := (edges[i] + edges[i+1]) / 2
		if edges[i+1]-edges[i] > 60 { // a wide gap: as straight as it allows
			middle = min(max(straight, edges[i]+25), edges[i+1]-25)
		}
		if abs(middle-straight) < abs(best-straight) {
			best = middle
		}
	}
	return best
}

func abs(n int) int { return max(n, -n) }

// path is the line of an arrow: down, through the gaps of the rows between its ends.
func path(arrows []arrow, a arrow) string {
	const lane = 5 // pixels between arrows in a gap
	x := float64(a.from.x) + spread(arrows, a, toX, func(b arrow) bool { return b.from == a.from })*float64(a.from.width-20)
	y := a.from.bottom()
	line := fmt.Sprintf("M%.0f %d", x, y)
	curve := func(toX float64, toY int) {
		middle := (y + toY) / 2
		line += fmt.Sprintf(" C%.0f %d %.0f %d %.0f %d", x, middle, toX, middle, toX, toY)
		x, y = toX, toY
	}
	for row := a.from.row + 1; row < a.to.row; row++ {
		at := gap(a, row)
		passes := func(b arrow) bool { return b.from.row < row && row < b.to.row && gap(b, row) == at }
		n := len(slices.DeleteFunc(slices.Clone(arrows), func(b arrow) bool { return !passes(b) }))
		curve(float64(at)+spread(arrows, a, toX, passes)*lane*float64(n), top+row*rowHeight-2)
		y += boxHeight + 4
		line += fmt.Sprintf(" V%d", y)
	}
	curve(float64(a.to.x)+spread(arrows, a, fromX, func(b arrow) bool { return b.to == a.to })*float64(a.to.width-30), a.to.top()-6)
	return line
}

// colours of the arrows, by the package that imports.
var colours = map[string]string{
	"nethttp": "#7b3fa0", "eddytest": "#8a6d00", "workers": "#5f6b76", "http1": "#1b7f4b",
	"": "#1f5fbf", "loop": "#c2410c",
}

func drawing(arrows []arrow) []byte {
	var b bytes.Buffer
	height := top + 5*rowHeight + boxHeight + 10
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="Helvetica, Arial, sans-serif" text-anchor="middle">
<title>The packages of eddy, and their imports</title>
<rect width="%[1]d" height="%[2]d" rx="8" fill="#ffffff"/>
`, drawingWidth, height)
	for _, a := range arrows {
		colour := cmp.Or(colours[a.from.name], "#5f6b76")
		end := strings.Fields(path(arrows, a))
		x, y := end[len(end)-2], a.to.top()
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.4"/><path d="M%s %d l-3.5 -7 h7 z" fill="%[2]s"/>`+"\n",
			path(arrows, a), colour, x, y)
	}
	for _, p := range boxes {
		fill, stroke, dash, weight := "#f4f8ff", cmp.Or(colours[p.name], "#33475b"), "", "bold"
		switch {
		case p.text == "":
			fill, dash, weight = "#ffffff", ` stroke-dasharray="4 3"`, "normal"
		case strings.HasPrefix(p.name, "internal/"):
			fill, stroke, weight = "#f1f1ee", "#8b8f94", "normal"
		}
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%d" height="%d" rx="5" fill="%s" stroke="%s" stroke-width="1.4"%s/>`+"\n",
			p.x-p.width/2, p.top(), p.width, p.height(), fill, stroke, dash)
		fmt.Fprintf(&b, `<text x="%d" y="%d" font-size="11.5" font-weight="%s" fill="#1a1f24">%s</text>`+"\n", p.x, p.top()+16, weight, p.label)
		if p.text != "" {
			fmt.Fprintf(&b, `<text x="%d" y="%d" font-size="10.5" fill="#404950">%s</text>`+"\n", p.x, p.top()+33, p.text)
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// The drawing has an arrow for each import, and all point down.
func TestDocumentationDrawingHasTheImports(t *testing.T) {
	const file = "docs/architecture.svg"
	want := drawing(drawnArrows(t))
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not that of the imports (%v): run go test -run Drawing . -update", file, err)
	}
}

// The page beside the drawing names every file: in rows of their own those of the engine,
// its loops and HTTP, elsewhere those of the other packages.
func TestDocumentationNamesTheFiles(t *testing.T) {
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	row := map[string]string{"": "| `%s` |", "loop/": "| `%s` |", "http1/": "| `%s` |", "nethttp/": "| `%s` |"}
	for _, folder := range []string{
		"", "loop/", "http1/", "nethttp/",
		"httpparse/", "buffers/", "poller/", "asynclog/", "workers/", "eddytest/", "internal/sockets/",
	} {
		files, err := filepath.Glob(folder + "*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("no files in %q: %v", folder, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			name := fmt.Sprintf(cmp.Or(row[folder], "`%s`"), strings.TrimPrefix(file, "internal/sockets/"))
			if !strings.Contains(string(text), name) {
				t.Errorf("docs/architecture.md does not have %s", name)
			}
		}
	}
}
