package http1_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// TestConformance sends every row of the table, in every way, over everything that http1
// may run on. All of that goes to one server, so what one row leaves behind would be met
// by another. No row depends on what only a socket knows: all behave alike.
func TestConformance(t *testing.T) {
	x := readTable(t)
	for name, v := range map[string]via{
		"socket":                 {},
		"layer":                  {layered: true},
		"memory":                 {memory: true},
		"slow reader":            {memory: true, window: 7},
		"layer, for slow reader": {memory: true, layered: true, window: 7},
		"TLS":                    {tls: true},
		"TLS, in memory":         {memory: true, tls: true},
	} {
		t.Run(name, func(t *testing.T) { x.conforms(t, serveVia(t, v, describe, http1.Options{}, eddy.Options{})) })
	}
}

// conforms sends every row to s.
func (x *table) conforms(t *testing.T, s *server) {
	results := make([]error, len(x.rows))
	try := func(i int) { results[i] = s.try(x.rows[i], rand.New(rand.NewPCG(uint64(i), 1))) }
	if s.memory != nil {
		for i := range x.rows { // in their order, and so each time alike
			try(i)
		}
	} else {
		var work sync.WaitGroup
		tickets := make(chan struct{}, 96)
		for i := range x.rows {
			work.Go(func() {
				tickets <- struct{}{}
				try(i)
				<-tickets
			})
		}
		work.Wait()
	}
	for i, r := range x.rows {
		t.Run(r.name, func(t *testing.T) {
			if results[i] != nil {
				t.Errorf("%s: %s\nsent %.200q\n%v", r.where, x.titles[r.rule], r.sent, results[i])
			}
		})
	}
	t.Logf("%d rows for %d rules", len(x.rows), len(x.titles))
}

// rules is how many there are.
const rules = 116

// TestEveryRuleIsCovered looks for rules without rows, and for tests that the table
// names but that do not exist.
func TestEveryRuleIsCovered(t *testing.T) {
	x := readTable(t)
	tests := testNames(t)
	for rule := 1; rule <= rules; rule++ {
		if !x.covered[rule] {
			t.Errorf("rule %d has no row", rule)
		}
		for _, name := range x.inCode[rule] {
			if !tests[name] {
				t.Errorf("rule %d: there is no %s", rule, name)
			}
		}
	}
}

func testNames(t *testing.T) map[string]bool {
	names := map[string]bool{}
	files, _ := filepath.Glob("*_test.go")
	declaration := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declaration.FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
	}
	return names
}

// cutter says how many of the bytes left go into the next write.
type cutter func(left int) int

// The requests that rows are sent behind, before and followed by.
var (
	before, sawBefore = get("/before"), "GET /before HTTP/1.1 path=/before query= host=a\nfield Host \"a\"\nbody \"\"\n"
	after, sawAfter   = get("/after"), "GET /after HTTP/1.1 path=/after query= host=a\nfield Host \"a\"\nbody \"\"\n"
)

// try sends a row in every way, and says in which the outcome was not the row's.
func (s *server) try(r *row, random *rand.Rand) error {
	whole := func(left int) int { return left }
	oneByOne := func(int) int { return 1 }
	atRandom := func(left int) int { return 1 + random.IntN(left) }
	behind, ahead := *r, *r
	behind.sent = before + r.sent
	behind.statuses = append([]int{200}, r.statuses...)
	behind.saw = append([]string{sawBefore}, r.saw...)
	ahead.sent = r.sent + after
	if !r.closes {
		ahead.statuses = append(ahead.statuses[:len(r.statuses):len(r.statuses)], 200)
		ahead.saw = append(ahead.saw[:len(r.saw):len(r.saw)], sawAfter)
	}
	cutAnyhow := s.via.layered || s.via.tls || s.via.window > 0
	ways := []struct {
		name string
		row  *row
		cut  cutter
		skip bool
	}{
		{"whole", r, whole, false},
		{"byte by byte", r, oneByOne, cutAnyhow || len(r.sent) > 10<<10},
		{"in random cuts", r, atRandom, false},
		{"in other random cuts", r, atRandom, cutAnyhow},
		{"behind a good request", &behind, whole, cutAnyhow},
		{"behind a good request, in random cuts", &behind, atRandom, false},
		{"before a good request", &ahead, whole, cutAnyhow || r.fin},
		{"before a good request, in random cuts", &ahead, atRandom, r.fin},
	}
	var errs []error
	for _, way := range ways {
		if way.skip {
			continue
		}
		if err := s.exchange(way.row, way.cut); err != nil {
			errs = append(errs, fmt.Errorf("sent %s: %w", way.name, err))
		}
	}
	return errors.Join(errs...)
}

// exchange sends a row on a connection of its own, and compares what comes back.
func (s *server) exchange(r *row, cut cutter) error {
	conn, err := s.connect()
	if err != nil {
		return err
	}
	defer conn.Close()
	c := newClient(conn)
	c.server = s
	if err := c.sendCut(r.sent, cut); err != nil {
		return err
	}
	if r.fin {
		if err := conn.CloseWrite(); err != nil {
			return err
		}
	}
	for i := range r.statuses {
		if err := c.expectAnswer(r, i); err != nil {
			return fmt.Errorf("answer %d of %d: %w", i+1, len(r.statuses), err)
		}
	}
	if r.closes {
		return c.readEnd()
	}
	if _, err := io.WriteString(conn, after); err != nil {
		return err
	}
	a, err := c.read("GET")
	if err != nil {
		return fmt.Errorf("the connection should persist: %w", err)
	}
	if saw, _ := strconv.Unquote(a.field("X-Saw")); saw != sawAfter {
		return fmt.Errorf("the next request was seen as\n%s", saw)
	}
	return nil
}

// sendCut writes s in pieces. In memory the server sees them one by one. Over a socket the
// pause between them lets it do so, mostly: nothing depends on it.
func (c *client) sendCut(s string, cut cutter) error {
	for s != "" {
		n := cut(len(s))
		if _, err := io.WriteString(c.conn, s[:n]); err != nil {
			return err
		}
		if s = s[n:]; s != "" && len(s) < 300 && c.server.memory == nil {
			time.Sleep(50 * time.Microsecond)
		}
	}
	return nil
}

// expectAnswer reads the answer i of a row.
func (c *client) expectAnswer(r *row, i int) error {
	refusal := r.refused && i == len(r.statuses)-1
	last := i == len(r.statuses)-1 && r.closes
	method := "GET"
	if refusal {
		if strings.HasPrefix(strings.TrimPrefix(r.sent, before), "HEAD ") {
			method = "HEAD"
		}
	} else {
		method, _, _ = strings.Cut(r.saw[i], " ")
	}
	a, err := c.read(method)
	if err != nil {
		return fmt.Errorf("want %d: %w", r.statuses[i], err)
	}
	if a.status != r.statuses[i] {
		return fmt.Errorf("status %d, want %d", a.status, r.statuses[i])
	}
	if refusal {
		if !a.closes() || a.field("Content-Length") == "" || a.field("X-Saw") != "" {
			return fmt.Errorf("refusal with the fields %q", a.fields)
		}
		return nil
	}
	// A client that has stopped sending needs not be told that the connection ends.
	if a.closes() != last && !r.fin {
		return fmt.Errorf("Connection: %q, want the connection to end: %v", a.field("Connection"), last)
	}
	if saw, _ := strconv.Unquote(a.field("X-Saw")); saw != r.saw[i] {
		return fmt.Errorf("the handler saw\n%swant\n%s", saw, r.saw[i])
	}
	return nil
}
