package eddytls

import (
	"bytes"
	"testing"
)

// Whatever the pieces, the end of a large record is known, and never passed by more than a
// header.
func TestLargeRecordsAreReadAlone(t *testing.T) {
	var stream []byte
	for _, size := range []int{10, 16000, 16000, 0, 1, 3000} {
		stream = append(stream, 23, 3, 3, byte(size>>8), byte(size))
		stream = append(stream, bytes.Repeat([]byte{1}, size)...)
	}
	for _, piece := range []int{1, 3, 7, 100, 1 << 20} {
		var r records
		for rest := stream; len(rest) > 0; {
			n := min(len(rest), piece, r.limit())
			r.passed(rest[:n])
			rest = rest[n:]
		}
		if r.left != 0 || r.known != 0 {
			t.Errorf("pieces of %d: %+v at the end of a record", piece, r)
		}
	}
	var r records
	r.passed([]byte{23, 3, 3, 0x40, 0, 1})
	if got := r.limit(); got != 0x4000-1+recordHeader {
		t.Errorf("limit %d", got)
	}
}
