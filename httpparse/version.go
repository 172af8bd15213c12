package httpparse

import "encoding/binary"

// versionLen is the length of "HTTP/1.1".
const versionLen = 8

const versionOne = 'H' | 'T'<<8 | 'T'<<16 | 'P'<<24 | '/'<<32 | '1'<<40 | '.'<<48 // without the minor digit

// minorVersion returns the minor version of HTTP/1.x, the first eight bytes of b: 0, or 1 for all above
// (RFC 9110 section 2.5).
func minorVersion(b []byte) (minor int, ok bool) {
	w := binary.LittleEndian.Uint64(b)
	digit := byte(w >> 56)
	if w<<8>>8 != versionOne || !isDigit(digit) {
		return 0, false
	}
	if digit == '0' {
		return 0, true
	}
	return 1, true
}

// checkVersion reports the first byte at which b, which may be cut short, ceases to be a version that we speak,
// in the order of the bytes: whether the major version is 1 is asked when the form is known to be right.
func checkVersion(b []byte, malformed error) error {
	for i := 0; i < min(len(b), versionLen); i++ {
		if i == 5 || i == 7 {
			if !isDigit(b[i]) {
				return malformed
			}
		} else if b[i] != "HTTP/1.1"[i] {
			return malformed
		}
	}
	if len(b) >= versionLen && b[5] != '1' {
		return ErrVersionMajor
	}
	return nil
}
