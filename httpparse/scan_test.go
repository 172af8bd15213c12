package httpparse

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func scanToken(buf []byte, i int) int { return scanClass(buf, i, classToken) }

// The scanners against one byte at a time, at every place of a word and of its neighbours.
func TestScannersStopAtTheFirstByte(t *testing.T) {
	for _, scanner := range []struct {
		name  string
		scan  func(buf []byte, i int) int
		pass  func(c byte) bool
		plain byte
	}{
		{"token", scanToken, isToken, 'A'},
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

// plainLineSyntax is a line for plainLines, in the runes of the same numbers.
var plainLineSyntax = regexp.MustCompile("^(" + tchar + "{1,31}):(?: ?([!-~](?:[ -~]*[!-~])?)|())\r\n")

// referenceLines is plainLines by a regular expression.
func referenceLines(buf []byte, line int, fields []Field) (n, next int) {
	runes := make([]rune, len(buf))
	for i, c := range buf {
		runes[i] = min(rune(c), 0x80) // one byte of text for each
	}
	text := strings.ReplaceAll(string(runes), "\u0080", "\x7f")
	for n < len(fields) {
		m := plainLineSyntax.FindStringSubmatchIndex(text[line:])
		if m == nil {
			break
		}
		fields[n] = Field{span(line+m[2], line+m[3]), span(line+max(m[4], m[6]), line+max(m[5], m[7]))}
		n++
		line += m[1]
	}
	return n, line
}

func comparePlainLines(t *testing.T, buf []byte, line, most int) {
	t.Helper()
	if len(buf) < plainBytes {
		return
	}
	want := make([]Field, most)
	n, next := referenceLines(buf, line, want)
	check := func(name string, scan func(buf []byte, line int, fields []Field) (n, next int)) {
		got := make([]Field, most)
		if gotN, gotNext := scan(buf, line, got); gotN != n || gotNext != next || !slices.Equal(got, want) {
			t.Fatalf("%s: %q from %d: got %v, then %d, want %v, then %d", name, buf, line, got[:gotN], gotNext, want[:n], next)
		}
	}
	check("plainLines", plainLines)
	if hasAVX2 {
		check("plainLinesAVX2", plainLinesAVX2)
	}
}

// Every cut, at every offset from the blocks of 64 bytes.
func TestPlainLinesAtEveryCut(t *testing.T) {
	for _, message := range requestSeeds {
		line := strings.Index(message, "\n") + 1
		for cut := range len(message) + 1 {
			comparePlainLines(t, []byte(message[:cut]), min(line, cut), 20)
			comparePlainLines(t, []byte(message[cut:]), 0, 20)
		}
	}
}

func TestPlainLinesWithEveryByte(t *testing.T) {
	message := []byte(strings.Repeat("Name-1: a value\r\nOther:with the last block full\r\nX:\r\n", 3) + "\r\n")
	for i := range message {
		for c := range 256 {
			was := message[i]
			message[i] = byte(c)
			comparePlainLines(t, message, 0, 10)
			message[i] = was
		}
	}
}

// FuzzPlainLines checks plainLines and its twin against a regular expression.
func FuzzPlainLines(f *testing.F) {
	for _, seed := range requestSeeds {
		line := strings.Index(seed, "\n") + 1
		f.Add([]byte(seed), line, 20)
		f.Add([]byte(seed)[line:], 0, 3)
	}
	f.Add([]byte(strings.Repeat("N", 31)+": v\r\n"+strings.Repeat("N", 32)+": v\r\n"), 0, 9)
	f.Fuzz(func(t *testing.T, buf []byte, line, most int) {
		if line >= 0 && line <= len(buf) && most >= 0 && most < 100 {
			comparePlainLines(t, buf, line, most)
		}
	})
}
