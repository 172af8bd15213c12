package eddy_test

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eddynet/eddy"
	"github.com/eddynet/eddy/http1"
)

// row is a line of a table of options: its name and its default.
var row = regexp.MustCompile("(?m)^\\| `([\\w.]+)` \\| (\\S+)(?: (\\S+))? \\|")

// units are those of the tables; bytes and counts have none.
var units = map[string]int64{
	"": 1, "KiB": 1 << 10, "MiB": 1 << 20,
	"ms": int64(time.Millisecond), "s": int64(time.Second), "min": int64(time.Minute),
}

// tabled are the defaults that a section of SECURITY.md gives.
func tabled(t *testing.T, start string) map[string]int64 {
	t.Helper()
	text, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), start)
	_, table, _ := strings.Cut(section, "\n\n")
	table, _, ended := strings.Cut(table, "\n\n")
	if !found || !ended {
		t.Fatalf("SECURITY.md has no table behind %q", start)
	}
	defaults := map[string]int64{}
	for _, m := range row.FindAllStringSubmatch(table, -1) {
		n, err := strconv.ParseInt(m[2], 10, 64)
		if err != nil || units[m[3]] == 0 {
			t.Fatalf("SECURITY.md: %q is not a number with a unit", m[0])
		}
		defaults[m[1]] = n * units[m[3]]
	}
	return defaults
}

// coded are the defaults of the fields of options, a pointer to a struct, and of its
// Limits, that have one of their own. The error about a negative value tells it.
func coded(t *testing.T, options any, check func() error) map[string]int64 {
	t.Helper()
	defaults := map[string]int64{}
	addCoded(t, defaults, "", reflect.ValueOf(options).Elem(), check)
	return defaults
}

// addCoded adds the defaults of the fields of a struct.
func addCoded(t *testing.T, defaults map[string]int64, prefix string, fields reflect.Value, check func() error) {
	t.Helper()
	for i := range fields.NumField() {
		name, field := prefix+fields.Type().Field(i).Name, fields.Field(i)
		if name == "Limits" {
			addCoded(t, defaults, "Limits.", field, check)
		}
		if !field.CanInt() || name == "SlowCallback" { // which bounds nothing, and may be negative
			continue
		}
		field.SetInt(-1)
		_, text, found := strings.Cut(fmt.Sprint(check()), "the default, ")
		field.SetInt(0)
		if !found {
			t.Fatalf("%s: a negative value is no error that tells the default", name)
		}
		d, err := time.ParseDuration(text)
		if n, nerr := strconv.ParseInt(text, 10, 64); nerr == nil {
			d, err = time.Duration(n), nil
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d != 0 { // or it is that of the engine
			defaults[name] = int64(d)
		}
	}
}

func TestSecurityNotesGiveTheDefaults(t *testing.T) {
	var engine eddy.Options
	of := coded(t, &engine, func() error { _, err := eddy.New(engine); return err })
	delete(of, "Loops") // these depend on the machine
	delete(of, "MaxConns")
	if got := tabled(t, "(`eddy.Options`)"); !reflect.DeepEqual(got, of) {
		t.Errorf("SECURITY.md has\n%v, want\n%v", got, of)
	}
	var http http1.Options
	of = coded(t, &http, func() error { _, err := http1.New(func(*http1.Response, *http1.Request) {}, http); return err })
	if got := tabled(t, "(`http1.Options`)"); !reflect.DeepEqual(got, of) {
		t.Errorf("SECURITY.md has\n%v, want\n%v", got, of)
	}
}
