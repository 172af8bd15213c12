package httpparse

import (
	"strings"
	"testing"
)

func TestLimitsAtBelowAndAbove(t *testing.T) {
	requestLine := func(n int) string { // a request line of n bytes
		return "GET /" + strings.Repeat("a", n-len("GET / HTTP/1.1")) + " HTTP/1.1\r\n" + h + "\r\n"
	}
	method := func(n int) string { return strings.Repeat("M", n) + " / HTTP/1.1\r\n" + h + "\r\n" }
	field := func(n int) string { // a field line of n bytes
		return g + h + "X: " + strings.Repeat("a", n-len("X: ")) + "\r\n\r\n"
	}
	name := func(n int) string { return g + h + strings.Repeat("a", n-1) + ":\r\n\r\n" }
	fields := func(n int) string { return g + h + strings.Repeat("X: 1\r\n", n-1) + "\r\n" }
	empty := func(n int) string { return strings.Repeat("\r\n", n) + g + h + "\r\n" }
	head := func(n int) string {
		rest := g + h + "X: \r\n\r\n"
		return strings.Replace(rest, "X: ", "X: "+strings.Repeat("a", n-len(rest)), 1)
	}
	longTarget := func(n int) string {
		rest := "GET / HTTP/1.1\r\n" + h + "\r\n"
		return strings.Replace(rest, "/", "/"+strings.Repeat("a", n-len(rest)), 1)
	}
	for _, row := range []struct {
		name    string
		limits  *Limits
		limit   int
		message func(n int) string
		err     error
	}{
		{"request line", &Limits{RequestLine: 100}, 100, requestLine, errTargetTooLong},
		{"request line by default", nil, defaultRequestLine, requestLine, errTargetTooLong},
		{"method", &Limits{Method: 7}, 7, method, errMethodTooLong},
		{"method by default", nil, defaultMethod, method, errMethodTooLong},
		{"field", &Limits{Field: 50}, 50, field, errFieldTooLarge},
		{"field by default", nil, defaultField, field, errFieldTooLarge},
		{"field that is all name", &Limits{Field: 50}, 50, name, errFieldTooLarge},
		{"fields", &Limits{Fields: 3}, 3, fields, errTooManyFields},
		{"fields by default", nil, defaultFields, fields, errTooManyFields},
		{"empty lines", &Limits{EmptyLines: 2}, 2, empty, errEmptyLines},
		{"head", &Limits{Head: 60}, 60, head, errHeadTooLarge},
		{"head by default", &Limits{Field: 1 << 20}, defaultHead, head, errHeadTooLarge},
	} {
		t.Run(row.name, func(t *testing.T) {
			for n, want := range map[int]error{row.limit - 1: nil, row.limit: nil, row.limit + 1: row.err} {
				message := row.message(n)
				got := sameForAllCuts(t, message, func(next cutter) requestOutcome {
					return requestBy(next, message, row.limits)
				})
				if got.Err != want {
					t.Errorf("%d: got %v, want %v", n, got.Err, want)
				}
			}
		})
	}
	message := longTarget(200)
	if got := requestBy(bytewise, message, &Limits{Head: 100}); got.Err != errTargetTooLong {
		t.Errorf("head limit within the target: %v", got.Err)
	}
}

func TestLimitIsReportedBeforeTheLineEnds(t *testing.T) {
	limits := &Limits{RequestLine: 30, Method: 5, Field: 10, Fields: 1, Head: 70}
	for message, want := range map[string]error{
		"GET /" + strings.Repeat("a", 17):      errTargetTooLong,
		"METHOD":                               errMethodTooLong,
		g + "abcdefghijk":                      errFieldTooLarge,
		g + "X: abcdefgh":                      errFieldTooLarge,
		g + h + "X":                            errTooManyFields,
		g + h + "\r" + strings.Repeat("a", 60): errBareCR,
	} {
		got := sameForAllCuts(t, message, func(next cutter) requestOutcome { return requestBy(next, message, limits) })
		if got.Err != want {
			t.Errorf("%q: got %v, want %v", message, got.Err, want)
		}
	}
}

// A request line of 8000 bytes has to pass (RFC 9112 section 3).
func TestRequestLineOf8000BytesPasses(t *testing.T) {
	message := "GET /" + strings.Repeat("a", 8000-len("GET / HTTP/1.1")) + " HTTP/1.1\r\n" + h + "\r\n"
	if got := requestBy(whole, message, nil); got.Err != nil || got.N != len(message) {
		t.Fatal(got.N, got.Err)
	}
}

// A head that arrives byte by byte must not be read again from its start: here that would be 2 * 10^9 bytes.
func TestByteByByteIsLinear(t *testing.T) {
	message := []byte(g + h + strings.Repeat("X: "+strings.Repeat("a", 997)+"\r\n", 60) + "\r\n")
	var r Request
	for have := 1; have <= len(message); have++ {
		n, err := r.Parse(message[:have], nil)
		if err != nil || (n > 0) != (have == len(message)) {
			t.Fatal(have, n, err)
		}
		if have < len(message) && have-r.section.pos > 16 {
			t.Fatalf("with %d bytes the next call begins at %d", have, r.section.pos)
		}
	}
}

func TestWithDefaultsKeepsWhatIsSet(t *testing.T) {
	got := Limits{Head: 5, Fields: -1}.WithDefaults()
	want := Limits{RequestLine: 8192, Method: 32, Head: 5, Field: 16 << 10, Fields: 128, EmptyLines: 4,
		Extension: 256, Overhead: 16 << 10, Trailer: 8 << 10, TrailerFields: 32}
	if got != want {
		t.Errorf("%+v", got)
	}
}
