package httpparse

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

// A message must mean the same however it is cut. The helpers here feed one message whole, byte by byte and in
// random pieces, each time from memory of its own, so that nothing but the state carries over.

// cutter returns the length of the next, longer prefix of a message of n bytes.
type cutter func(have, n int) int

func whole(_, n int) int       { return n }
func bytewise(have, _ int) int { return have + 1 }

func randomly(seed uint64) cutter {
	random := rand.New(rand.NewPCG(seed, 1))
	return func(have, n int) int { return have + 1 + random.IntN(max(1, min(n-have, 40))) }
}

var cutters = []struct {
	name string
	make func() cutter
}{
	{"byte by byte", func() cutter { return bytewise }},
	{"in random cuts 1", func() cutter { return randomly(1) }},
	{"in random cuts 2", func() cutter { return randomly(2) }},
	{"in random cuts 3", func() cutter { return randomly(3) }},
}

// feed calls parse with longer and longer prefixes, until it returns a length or an error.
func feed(message string, next cutter, parse func(buf []byte) (int, error)) (n int, err error) {
	for have := 0; have < len(message); {
		have = min(next(have, len(message)), len(message))
		buf := make([]byte, have)
		copy(buf, message)
		if n, err = parse(buf); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, nil
}

// requestOutcome is all that a caller can see of a parsed request.
type requestOutcome struct {
	N       int
	Err     error
	Strings map[string]string
	Fields  []string
	Facts   string
}

func requestBy(next cutter, message string, limits *Limits) requestOutcome {
	var r Request
	n, err := feed(message, next, func(buf []byte) (int, error) { return r.Parse(buf, limits) })
	o := requestOutcome{N: n, Err: err}
	if n > 0 && err == nil {
		buf := []byte(message)
		o.Strings = map[string]string{
			"method": string(r.Method.Of(buf)), "target": string(r.Target.Of(buf)), "path": string(r.Path.Of(buf)),
			"query": string(r.Query.Of(buf)), "host": string(r.Host.Of(buf)), "upgrade": string(r.Upgrade.Of(buf)),
		}
		o.Fields = fieldStrings(buf, r.Fields)
		o.Facts = fmt.Sprint(r.Form, r.Framing, r.Length, r.Minor, r.KeepAlive, r.ExpectContinue, r.ExpectUnknown)
	}
	return o
}

func fieldStrings(buf []byte, fields []Field) (list []string) {
	for _, f := range fields {
		list = append(list, string(f.Name.Of(buf))+": "+string(f.Value.Of(buf)))
	}
	return list
}

// sameForAllCuts runs one message through every cutter and returns the outcome they agree on.
func sameForAllCuts[T any](t *testing.T, message string, run func(next cutter) T) T {
	t.Helper()
	first := run(whole)
	for _, c := range cutters {
		if got := run(c.make()); !reflect.DeepEqual(got, first) {
			t.Fatalf("%q fed %s:\n got %+v\nwant %+v, as fed whole", message, c.name, got, first)
		}
	}
	return first
}

// statusOf returns the status of a parse error, 0 for none.
func statusOf(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	var parse *Error
	if !errors.As(err, &parse) {
		t.Fatalf("%v is not an *Error", err)
	}
	return parse.Status
}

// A call without new bytes changes nothing.
func TestTheSameBytesAgain(t *testing.T) {
	for _, message := range requestSeeds {
		calls := 0
		twice := func(have, _ int) int { calls++; return have + calls%2 }
		if got, want := requestBy(twice, message, nil), requestBy(whole, message, nil); !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %+v\nwant %+v", message, got, want)
		}
	}
}
