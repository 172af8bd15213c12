package http1_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/eddynet/eddy/http1"
)

// badFields are those that nobody may set: rule 105.
var badFields = [][2]string{
	{"", "v"}, {"X Y", "v"}, {"X:", "v"}, {":X", "v"}, {"X\r\nY", "v"}, {"X\n", "v"}, {"X\x00", "v"},
	{"X\t", "v"}, {" X", "v"}, {"X(", "v"}, {"X\xff", "v"}, {"é", "v"}, {"X\"", "v"}, {"X/Y", "v"},
	{"X", "a\rb"}, {"X", "a\nb"}, {"X", "a\r\nSplit: 1"}, {"X", "a\x00b"}, {"X", "\r"}, {"X", "a\n"},
	{"X", "\x01"}, {"X", "\x1f"}, {"X", "\x7f"}, {"X", "a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"},
	{"Content-Length", "5"}, {"content-length", "5"}, {"Transfer-Encoding", "chunked"}, {"TRANSFER-ENCODING", "identity"},
	{"Date", "now"}, {"date", ""}, {"Server", "me"}, {"SERVER", "me"},
	{"Connection", "keep-alive"}, {"connection", "upgrade"}, {"Connection", "close, x"}, {"Connection", ""},
	{"Connection", "close\r\nX: 1"},
}

// TestFieldsThatCannotBeSet: rule 105: they are refused, and nothing of them is sent.
func TestFieldsThatCannotBeSet(t *testing.T) {
	s := inMemory(t, func(w *http1.Response, _ *http1.Request) {
		w.SetHeader("X", "good")
		for _, f := range badFields {
			for name, set := range map[string]func(string, string) error{"Set": w.SetHeader, "Add": w.AddHeader} {
				var refused *http1.FieldError
				if err := set(f[0], f[1]); !errors.As(err, &refused) {
					t.Errorf("%sHeader(%q, %q): %v", name, f[0], f[1], err)
				} else if refused.Name != f[0] || refused.Value != f[1] || refused.Reason == "" {
					t.Errorf("%sHeader(%q, %q): error %+v", name, f[0], f[1], refused)
				}
			}
		}
		w.WriteString("x")
	}, http1.Options{})
	c := s.dial()
	c.send(get("/"))
	if err := c.conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(c.conn)
	if err != nil {
		t.Fatal(err)
	}
	for _, trace := range []string{"Split", "\x00", "chunked", "identity", "me\r\n", "keep-alive", "now"} {
		if bytes.Contains(raw, []byte(trace)) {
			t.Errorf("%q is sent: %q", trace, raw)
		}
	}
	if n := bytes.Count(raw, []byte("\r\n\r\n")); n != 1 {
		t.Errorf("%d empty lines in %q", n, raw)
	}
	a := s.get("/", "")
	if names := fieldNames(a); !slices.Equal(names, []string{"Server", "Date", "X", "Content-Length"}) {
		t.Errorf("fields %q", names)
	}
	expect(t, "X", a.field("X"), "good")
}

func fieldNames(a *answer) (names []string) {
	for _, f := range a.fields {
		names = append(names, f[0])
	}
	return names
}

// TestFieldsOfAnAnswer: SetHeader replaces, in any case of the name; AddHeader does
// not; the order is kept.
func TestFieldsOfAnAnswer(t *testing.T) {
	s := inMemory(t, func(w *http1.Response, _ *http1.Request) {
		for _, err := range []error{
			w.SetHeader("A", "1"),
			w.AddHeader("B", "2"),
			w.AddHeader("b", "3"),
			w.AddHeader("C", "tab\tand \x80\xff bytes"),
			w.SetHeader("a", "4"),
			w.AddHeader("Dates", "not the engine's"),
			w.AddHeader("!#$%&'*+-.^_`|~09azAZ", ""),
		} {
			if err != nil {
				t.Error(err)
			}
		}
	}, http1.Options{ServerName: "-"})
	for range 3 { // nothing is left over from one to the next
		got := fmt.Sprintf("%q", slices.DeleteFunc(s.get("/", "").fields, func(f [2]string) bool { return f[0] == "Date" }))
		want := fmt.Sprintf("%q", [][2]string{{"B", "2"}, {"b", "3"}, {"C", "tab\tand \x80\xff bytes"}, {"a", "4"},
			{"Dates", "not the engine's"}, {"!#$%&'*+-.^_`|~09azAZ", ""}, {"Content-Length", "0"}})
		expect(t, "fields", got, want)
	}
}

// TestNothingIsLeftOverFromTheAnswerBefore, of the same connection or another.
func TestNothingIsLeftOverFromTheAnswerBefore(t *testing.T) {
	s := inMemory(t, func(w *http1.Response, r *http1.Request) {
		if string(r.Path()) == "/full" {
			w.SetStatus(404)
			w.SetHeader("X", "1")
			w.SetLength(99)
			w.WriteString("body")
		}
	}, http1.Options{})
	c := s.dial()
	for range 3 {
		c.send(get("/full") + get("/"))
		expect(t, "status", c.answer("GET").status, 404)
		a := c.answer("GET")
		expect(t, "status", a.status, 200)
		expect(t, "X", a.field("X"), "")
		expect(t, "body", string(a.body), "")
	}
}

// TestResetDropsEverything that was set.
func TestResetDropsEverything(t *testing.T) {
	s := inMemory(t, func(w *http1.Response, _ *http1.Request) {
		w.SetStatus(404)
		w.SetHeader("X", "1")
		w.SetHeader("Connection", "close")
		w.Write(make([]byte, 100<<10))
		w.Reset()
		w.WriteString("new")
	}, http1.Options{})
	c := s.dial()
	for range 2 {
		c.send(get("/"))
		a := c.answer("GET")
		expect(t, "status", a.status, 200)
		expect(t, "X", a.field("X"), "")
		expect(t, "body", string(a.body), "new")
	}
}
