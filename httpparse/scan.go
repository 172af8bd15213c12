package httpparse

import (
	"encoding/binary"
	"math/bits"
)

// The scanners examine eight bytes at a time in one uint64, the first byte lowest, and the last ones by their class.
// Each *Stops function sets the top bit of every byte that its scanner has to examine more closely. A borrow or a carry
// may change bits above a true stop, never below the first one; only the first one is used.

const (
	ones  = 0x0101010101010101
	tops  = 0x80 * ones
	lows  = 0x7f * ones
	cases = 0x20 * ones
)

// load returns the eight bytes of buf from i on.
func load(buf []byte, i int) uint64 { return binary.LittleEndian.Uint64(buf[i : i+8 : i+8]) }

// loadEnd does so too, with zeros for bytes beyond the end of buf, which has eight at least.
func loadEnd(buf []byte, i int) uint64 {
	last := len(buf) - 8
	return load(buf, min(i, last)) >> (uint(max(i-last, 0)) * 8)
}

func firstStop(stops uint64) int { return bits.TrailingZeros64(stops) >> 3 }

// nameStops stops at all bytes but letters and the hyphen, which nearly all field names consist of.
func nameStops(w uint64) uint64 {
	folded := w | cases
	letter := (folded + (0x80-'a')*ones) &^ (folded + (0x7f-'z')*ones)
	notHyphen := w ^ '-'*ones + lows
	return (notHyphen&^letter | w) & tops
}

func textStops(w uint64) uint64 { return (w - ' '*ones | (w + ones)) & tops }

// targetStops stops at '#', '?' and all bytes but visible ASCII.
func targetStops(w uint64) uint64 {
	hidden := w - '!'*ones | (w + ones)
	return (hidden | (w ^ '#'*ones - ones) | (w ^ '?'*ones - ones)) & tops
}

// plainBytes is the least length of the buf of plainLines and plainLinesAVX2.
const plainBytes = 32

// plainLines parses field lines from line on until one is not like most: complete, with a token of at most 31 bytes and
// a value of visible ASCII and spaces, one of which may precede it. It sets one element of fields for each and returns
// their number, at most len(fields), and where the next line begins.
func plainLines(buf []byte, line int, fields []Field) (n, next int) {
	for n < len(fields) {
		colon, end := plainLine(buf, line)
		if colon == 0 || end > len(buf)-2 || string(buf[end:end+2]) != "\r\n" {
			break
		}
		start := colon + 1
		if buf[start] == ' ' {
			start++
		}
		if buf[start] == ' ' || buf[end-1] == ' ' {
			break
		}
		fields[n] = Field{span(line, colon), span(start, end)}
		n++
		line = end + 2
	}
	return n, line
}

// plainLine returns the colon of the line, 0 if there is none after a token, and the end of its visible ASCII and
// spaces. The scan for the end begins at line: the two scans do not wait for each other.
func plainLine(buf []byte, line int) (colon, end int) {
	if buf = buf[:len(buf):len(buf)]; line < 0 {
		return 0, 0 // never: the condition spares checks of bounds below
	}
	for colon = line; colon <= len(buf)-8; colon += 8 {
		if stops := nameStops(load(buf, colon)); stops != 0 {
			colon += firstStop(stops)
			break
		}
	}
	for colon < len(buf) && isToken(buf[colon]) {
		colon++
	}
	if colon >= len(buf) || buf[colon] != ':' || uint(colon-line-1) >= 31 {
		return 0, 0
	}
	for end = line; end <= len(buf)-16; end += 16 {
		pair := buf[end : end+16 : end+16]
		first, second := textStops(load(pair, 0)), textStops(load(pair, 8))
		if first != 0 {
			return colon, end + firstStop(first)
		}
		if second != 0 {
			return colon, end + 8 + firstStop(second)
		}
	}
	for {
		if stops := textStops(loadEnd(buf, end)); stops != 0 {
			return colon, end + firstStop(stops)
		}
		end += 8
	}
}

// scanValue returns the index of the first byte of buf[i:] that no field value holds, or len(buf).
func scanValue(buf []byte, i int) int {
	for ; i <= len(buf)-8; i += 8 {
		if stops := textStops(load(buf, i)); stops != 0 {
			i += firstStop(stops)
			break
		}
	}
	return scanClass(buf, i, classValue)
}

// scanTarget returns the index of the first byte of buf[i:] that is '?' or that no request target holds, or len(buf).
func scanTarget(buf []byte, i int) int {
	for ; i <= len(buf)-8; i += 8 {
		if stops := targetStops(load(buf, i)); stops != 0 {
			i += firstStop(stops)
			break
		}
	}
	return scanClass(buf, i, classTarget)
}

// scanClass returns the index of the first byte of buf[i:] that is not of that class, or len(buf).
func scanClass(buf []byte, i int, want class) int {
	for i < len(buf) && classes[buf[i]]&want != 0 {
		i++
	}
	return i
}
