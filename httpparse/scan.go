package httpparse

import (
	"encoding/binary"
	"math/bits"
)

// The scanners look at eight bytes at a time in one uint64, the first byte lowest. Each *Stops function sets the
// top bit of every byte at which its scanner has to stop. A borrow or a carry may set bits above a true stop,
// never below the first one; and the first one is all that a scanner uses.

const (
	ones  = 0x0101010101010101
	tops  = 0x80 * ones
	lows  = 0x7f * ones
	cases = 0x20 * ones
)

// load returns the eight bytes of buf from i on.
func load(buf []byte, i int) uint64 { return binary.LittleEndian.Uint64(buf[i : i+8 : i+8]) }

// loadTail returns the fewer than eight bytes of buf from i on. The zeros above them stop every scanner.
func loadTail(buf []byte, i int) (w uint64) {
	if len(buf) >= 8 {
		return binary.LittleEndian.Uint64(buf[len(buf)-8:]) >> (uint(8-(len(buf)-i)) * 8)
	}
	for shift := 0; i < len(buf); i, shift = i+1, shift+8 {
		w |= uint64(buf[i]) << shift
	}
	return w
}

// firstStop returns how many bytes precede the first stop: 8 when there is none.
func firstStop(stops uint64) int { return bits.TrailingZeros64(stops) >> 3 }

// nameStops stops at everything but letters and the hyphen, which is what nearly all field names consist of.
func nameStops(w uint64) uint64 {
	low := w & lows
	folded := low | cases
	letter := (folded + (0x80-'a')*ones) &^ (folded + (0x7f-'z')*ones)
	notHyphen := low ^ '-'*ones + lows
	return (notHyphen&^letter | w) & tops
}

// textStops stops at everything but visible ASCII and the space.
func textStops(w uint64) uint64 { return (w - ' '*ones | (w + ones)) & tops }

// targetStops stops at '#', '?' and everything but visible ASCII.
func targetStops(w uint64) uint64 {
	hidden := w - '!'*ones | (w + ones)
	return (hidden | (w ^ '#'*ones - ones) | (w ^ '?'*ones - ones)) & tops
}

// scanName returns the index of the first byte of buf[i:] that is no letter and no hyphen, or len(buf).
func scanName(buf []byte, i int) int {
	if buf = buf[:len(buf):len(buf)]; i < 0 {
		return 0
	}
	for ; i <= len(buf)-8; i += 8 {
		if stops := nameStops(load(buf, i)); stops != 0 {
			return i + firstStop(stops)
		}
	}
	if i == len(buf) {
		return i
	}
	return i + firstStop(nameStops(loadTail(buf, i)))
}

// scanToken returns the index of the first byte of buf[i:] that no token holds, or len(buf).
func scanToken(buf []byte, i int) int { return scanClass(buf, scanName(buf, i), classToken) }

// plainLine reads the field line at the beginning of buf[i:], if all of it is there and it is as nearly all are: a
// name of letters and hyphens, a value of visible ASCII and spaces. It returns where its colon and its CR are, or
// ok == false when the line needs a closer look.
func plainLine(buf []byte, i int) (colon, end int, ok bool) {
	if buf = buf[:len(buf):len(buf)]; i < 0 {
		return 0, 0, false
	}
	line := i
	for ; i <= len(buf)-8; i += 8 {
		if stops := nameStops(load(buf, i)); stops != 0 {
			i += firstStop(stops)
			break
		}
	}
	if i >= len(buf) || buf[i] != ':' || i == line {
		return 0, 0, false
	}
	colon = i
	for i++; i <= len(buf)-16; i += 16 {
		pair := buf[i : i+16 : i+16]
		first, second := textStops(load(pair, 0)), textStops(load(pair, 8))
		if first != 0 {
			i += firstStop(first)
			return colon, i, isLineEnd(buf, i)
		}
		if second != 0 {
			i += 8 + firstStop(second)
			return colon, i, isLineEnd(buf, i)
		}
	}
	i = scanText(buf, i)
	return colon, i, isLineEnd(buf, i)
}

func isLineEnd(buf []byte, i int) bool {
	return i >= 0 && i < len(buf)-1 && buf[i] == '\r' && buf[i+1] == '\n'
}

// scanText returns the index of the first byte of buf[i:] that is neither visible ASCII nor a space, or len(buf).
func scanText(buf []byte, i int) int {
	if buf = buf[:len(buf):len(buf)]; i < 0 {
		return 0
	}
	for ; i <= len(buf)-8; i += 8 {
		if stops := textStops(load(buf, i)); stops != 0 {
			return i + firstStop(stops)
		}
	}
	if i == len(buf) {
		return i
	}
	return i + firstStop(textStops(loadTail(buf, i)))
}

// scanValue returns the index of the first byte of buf[i:] that no field value holds, or len(buf).
func scanValue(buf []byte, i int) int { return scanClass(buf, scanText(buf, i), classValue) }

// scanClass returns the index of the first byte of buf[i:] that is not of that class, or len(buf).
func scanClass(buf []byte, i int, want class) int {
	for i < len(buf) && classes[buf[i]]&want != 0 {
		i++
	}
	return i
}

// scanTarget returns the index of the first '?' of buf[i:], or of the first byte that no request target holds,
// or len(buf).
func scanTarget(buf []byte, i int) int {
	if buf = buf[:len(buf):len(buf)]; i < 0 {
		return 0
	}
	for ; i <= len(buf)-8; i += 8 {
		if stops := targetStops(load(buf, i)); stops != 0 {
			return i + firstStop(stops)
		}
	}
	if i == len(buf) {
		return i
	}
	return i + firstStop(targetStops(loadTail(buf, i)))
}
