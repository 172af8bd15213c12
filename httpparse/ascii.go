package httpparse

import "unsafe"

// class is the set of grammar rules a byte may stand in.
type class uint8

const (
	classToken   class = 1 << iota // tchar, RFC 9110 5.6.2
	classValue                     // HTAB, SP, VCHAR and obs-text, RFC 9110 5.5
	classRegName                   // unreserved and sub-delims, RFC 3986 3.2.2; % needs a look at what follows
	classHex                       // HEXDIG of either case
)

var classes = func() (table [256]class) {
	for c := range table {
		if c == '\t' || c >= ' ' && c != 0x7f {
			table[c] |= classValue
		}
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' && c < 0x80
		digit := '0' <= c && c <= '9'
		if letter || digit {
			table[c] |= classToken | classRegName
		}
		if digit || letter && c|0x20 <= 'f' {
			table[c] |= classHex
		}
	}
	for _, c := range []byte("!#$%&'*+-.^_`|~") {
		table[c] |= classToken
	}
	for _, c := range []byte("-._~!$&'()*+,;=") {
		table[c] |= classRegName
	}
	return table
}()

func isToken(c byte) bool { return classes[c]&classToken != 0 }
func isBlank(c byte) bool { return c == ' ' || c == '\t' }
func isDigit(c byte) bool { return c-'0' < 10 }
func isAlpha(c byte) bool { return c|0x20-'a' < 26 }

// IsToken reports whether s is a token: not empty, and of RFC 9110's tchar only (section 5.6.2).
func IsToken[T ~string | ~[]byte](s T) bool { return len(s) > 0 && scanToken(view(s), 0) == len(s) }

// IsFieldValue reports whether s may stand as a field's value: HTAB, SP, visible ASCII and bytes from 0x80
// upward (RFC 9110 section 5.5). No CR, LF, NUL or other control passes. An empty value is valid.
func IsFieldValue[T ~string | ~[]byte](s T) bool { return scanValue(view(s), 0) == len(s) }

// view is s for the scanners, which only read. A slice begins as a string does: with its address and its length.
func view[T ~string | ~[]byte](s T) []byte {
	text := *(*string)(unsafe.Pointer(&s))
	return unsafe.Slice(unsafe.StringData(text), len(text))
}

// EqualFold reports whether a and b are equal when the case of ASCII letters is ignored. Unlike
// bytes.EqualFold it folds nothing else: the Kelvin sign is not a k.
func EqualFold(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	if string(a) == b {
		return true
	}
	for i, c := range a {
		if d := b[i]; c != d && (c^d != 0x20 || !isAlpha(c)) {
			return false
		}
	}
	return true
}
