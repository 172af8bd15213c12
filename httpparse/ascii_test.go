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

// The scanners against one byte at a time, at every place of a word and of its neighbours.
func TestScannersStopAtTheFirstByte(t *testing.T) {
	for _, scanner := range []struct {
		name  string
		scan  func(buf []byte, i int) int
		pass  func(c byte) bool
		plain byte
	}{
		{"token", scanToken, isToken, 'A'},
		{"token of digits", scanToken, isToken, '0'},
		{"value", scanValue, func(c byte) bool { return c >= ' ' && c != 0x7f || c == '\t' }, ' '},
		{"value of high bytes", scanValue, func(c byte) bool { return c >= ' ' && c != 0x7f || c == '\t' }, 0xff},
		{"target", scanTarget, func(c byte) bool { return c > ' ' && c < 0x7f && c != '#' && c != '?' }, '!'},
	} {
		for _, length := range []int{1, 7, 8, 9, 15, 16, 17, 23, 24, 33} {
			for place := range length {
				for c := range 256 {
					buf := []byte(strings.Repeat(string([]byte{scanner.plain}), length))
					buf[place] = byte(c)
					buf[length-1] ^= byte(c) & 0x80 // a second stop must not hide the first
					for _, start := range []int{0, min(3, length)} {
						want := start
						for want < length && scanner.pass(buf[want]) {
							want++
						}
						if got := scanner.scan(buf, start); got != want {
							t.Fatalf("%s: %q from %d: got %d, want %d", scanner.name, buf, start, got, want)
						}
					}
				}
			}
		}
	}
}
