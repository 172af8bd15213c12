package httpparse

import (
	"strings"
	"testing"
)

func TestIsToken(t *testing.T) {
	for c := range 256 {
		s := string([]byte{byte(c)})
		want := strings.Contains("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", s)
		if IsToken(s) != want || IsToken([]byte("a"+s)) != want {
			t.Errorf("%q", s)
		}
	}
	if IsToken("") {
		t.Error("empty")
	}
}

func TestIsFieldValue(t *testing.T) {
	for c := range 256 {
		s := string([]byte{byte(c)})
		want := c == '\t' || c >= ' ' && c != 0x7f
		if IsFieldValue(s) != want || IsFieldValue([]byte("a"+s)) != want {
			t.Errorf("%q", s)
		}
	}
	if !IsFieldValue("") {
		t.Error("empty")
	}
}

func TestEqualFoldFoldsASCIILettersOnly(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			x, y := []byte{byte(a)}, string([]byte{byte(b)})
			want := a == b || a < 0x80 && b < 0x80 && strings.EqualFold(string(x), y)
			if EqualFold(x, y) != want {
				t.Errorf("%q %q", x, y)
			}
		}
	}
	if EqualFold([]byte("ab"), "a") || !EqualFold([]byte("Content-LENGTH"), "content-length") || EqualFold([]byte("k"), "\u212a") {
		t.Error("whole words")
	}
}
