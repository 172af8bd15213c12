package httpparse

// class is a set of grammar rules.
type class uint8

const (
	classToken   class = 1 << iota // tchar, RFC 9110 section 5.6.2
	classValue                     // HTAB, SP, VCHAR and obs-text, RFC 9110 section 5.5
	classTarget                    // VCHAR but '#', which begins a fragment, and '?', which begins the query
	classScheme                    // ALPHA, DIGIT, "+", "-" and ".", RFC 3986 section 3.1
	classRegName                   // unreserved and sub-delims, RFC 3986 section 3.2.2; without pct-encoded
	classFuture                    // the same and ":", the end of an IPvFuture
	classHex                       // HEXDIG of either case
)

var classes = func() (table [256]class) {
	const letters, digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	add := func(set class, bytes string) {
		for i := range len(bytes) {
			table[bytes[i]] |= set
		}
	}
	for c := range table {
		if c == '\t' || c >= ' ' && c != 0x7f {
			table[c] |= classValue
		}
		if c > ' ' && c < 0x7f && c != '#' && c != '?' {
			table[c] |= classTarget
		}
	}
	add(classToken, letters+digits+"!#$%&'*+-.^_`|~")
	add(classScheme, letters+digits+"+-.")
	add(classRegName|classFuture, letters+digits+"-._~!$&'()*+,;=")
	add(classFuture, ":")
	add(classHex, digits+"abcdefABCDEF")
	return table
}()

func isToken(c byte) bool { return classes[c]&classToken != 0 }
func isHex(c byte) bool   { return classes[c]&classHex != 0 }
func isBlank(c byte) bool { return c == ' ' || c == '\t' }
func isDigit(c byte) bool { return c-'0' < 10 }
func isAlpha(c byte) bool { return c|0x20-'a' < 26 }

// IsToken reports whether s is a token: not empty, and of tchar only (RFC 9110 section 5.6.2).
func IsToken[T ~string | ~[]byte](s T) bool {
	return len(s) > 0 && scanClass([]byte(s), 0, classToken) == len(s)
}

// IsFieldValue reports whether s has HTAB, SP, visible ASCII and bytes from 0x80 upward only (RFC 9110 section 5.5).
func IsFieldValue[T ~string | ~[]byte](s T) bool { return scanValue([]byte(s), 0) == len(s) }

// EqualFold reports whether a and b are equal when the case of ASCII letters, and of nothing else, is ignored.
func EqualFold(a []byte, b string) bool {
	return len(a) == len(b) && (string(a) == b || equalFold(a, b))
}

func equalFold(a []byte, b string) bool {
	for i, c := range a {
		if d := b[i]; c != d && (c^d != 0x20 || !isAlpha(c)) {
			return false
		}
	}
	return true
}
