package http1_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/eddynet/eddy/http1"
)

// TestCheckedFields: SetField and AddField do what SetHeader and AddHeader do.
func TestCheckedFields(t *testing.T) {
	one, two, other := http1.MustField("A", "1"), http1.MustField("a", "2"), http1.MustField("B", "")
	s := inMemory(t, func(w *http1.Response, _ *http1.Request) {
		w.SetField(http1.Field{})
		w.AddField(http1.Field{})
		w.SetHeader("A", "0")
		w.SetField(one)
		w.AddField(other)
		w.AddField(other)
		w.SetField(two)
	}, http1.Options{})
	a := s.get("/", "")
	if names := fieldNames(a); !slices.Equal(names, []string{"Server", "Date", "B", "B", "a", "Content-Length"}) {
		t.Errorf("fields %q", names)
	}
	expect(t, "a", a.field("a"), "2")
	expect(t, "B", a.field("B"), "|")
}

// TestCheckedFieldsOfTheEngine: what they have the engine do is done.
func TestCheckedFieldsOfTheEngine(t *testing.T) {
	bye, upgrade := http1.MustField("Connection", "close"), http1.MustField("Upgrade", "h2c")
	s := inMemory(t, func(w *http1.Response, _ *http1.Request) {
		w.SetField(bye)
		w.AddField(upgrade)
	}, http1.Options{})
	a := s.get("/", "")
	expect(t, "Connection", a.field("Connection"), "Upgrade, close")
	expect(t, "Upgrade", a.field("Upgrade"), "h2c")
}

// TestFieldsThatAreNone: NewField has SetHeader's errors, and MustField panics.
func TestFieldsThatAreNone(t *testing.T) {
	for _, f := range badFields {
		var refused *http1.FieldError
		if got, err := http1.NewField(f[0], f[1]); !errors.As(err, &refused) || got != (http1.Field{}) {
			t.Errorf("NewField(%q, %q): %v, %v", f[0], f[1], got, err)
		}
		func() {
			defer func() {
				if err, _ := recover().(error); !errors.As(err, &refused) {
					t.Errorf("MustField(%q, %q) panicked with %v", f[0], f[1], err)
				}
			}()
			http1.MustField(f[0], f[1])
		}()
	}
}
