package httpparse

import (
	"encoding/binary"
	"math/bits"
)

// The scanners examine eight bytes at a time in one uint64, the first byte lowest, and the last ones by their
// class. Each *Stops function sets the top bit of every byte that its scanner has to examine more closely. A
// borrow or a carry may set bits above a true stop, never below the first one; only the first one is used.

const (
	ones  = 0x0101010101010101
	tops  = 0x80 * ones
	lows  = 0x7f * ones
	cases = 0x20 * ones
)

// load returns the eight bytes of buf from i on.
func load(buf []byte, i int) uint64 { return binary.LittleEndian.Uint64(buf[i : i+8 : i+8]) }

// firstStop returns how many bytes precede the first stop: 8 when there is none.
func firstStop(stops uint64) int { return bits.TrailingZeros64(stops) >> 3 }

// nameStops stops at all bytes but letters and the hyphen, which nearly all field names consist of.
func nameStops(w uint64) uint64 {
	low := w & lows
	folded := low | cases
	letter := (folded + (0x80-'a')*ones) &^ (folded + (0x7f-'z')*ones)
	notHyphen := low ^ '-'*ones + lows
	return (notHyphen&^letter | w) & tops
}

// textStops stops at all bytes but visible ASCII and the space.
func textStops(w uint64) uint64 { return (w - ' '*ones | (w + ones)) & tops }

// targetStops stops at '#', '?' and all bytes but visible ASCII.
func targetStops(w uint64) uint64 {
	hidden := w - '!'*ones | (w + ones)
	return (hidden | (w ^ '#'*ones - ones) | (w ^ '?'*ones - ones)) & tops
}

// scanToken returns the index of the first byte of buf[i:] that is no tchar, or len(buf).
func scanToken(buf []byte, i int) int {
	for ; i <= len(buf)-8; i += 8 {
		if stops := nameStops(load(buf, i)); stops != 0 {
			i += firstStop(stops)
			break
		}
	}
	return scanClass(buf, i, classToken)
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

// plainLine scans the field line at line as far as it is like most: a name of letters and hyphens, a value of visible
// ASCII and spaces. i is the first byte not scanned; colon is 0 if that is in the name. The scan for the end begins
// at line, not at the colon: the two scans do not wait for each other.
func plainLine(buf []byte, line int) (colon, i int) {
	if buf = buf[:len(buf):len(buf)]; line < 0 {
		return 0, 0
	}
	colon = line
	for ; colon <= len(buf)-8; colon += 8 {
		if stops := nameStops(load(buf, colon)); stops != 0 {
			colon += firstStop(stops)
			break
		}
	}
	if colon >= len(buf) || buf[colon] != ':' || colon == line {
		return 0, colon
	}
	for i = line; i <= len(buf)-16; i += 16 {
		pair := buf[i : i+16 : i+16]
		first, second := textStops(load(pair, 0)), textStops(load(pair, 8))
		if first != 0 {
			return colon, i + firstStop(first)
		}
		if second != 0 {
			return colon, i + 8 + firstStop(second)
		}
	}
	return colon, max(i, colon+1)
}

// scanTarget returns the index of the first '?' of buf[i:], or of the first byte that no request target holds,
// or len(buf).
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
