package websocket

import (
	"bytes"
	"testing"

	"github.com/gobwas/ws"
)

// feed parses left and p as a connection does. It returns the payloads of complete
// frames, and the unconsumed bytes.
func feed(t *testing.T, in *input, left, p []byte) (payloads [][]byte, rest []byte) {
	t.Helper()
	p = append(left, p...)
	for {
		n, complete, err := in.parse(p, 1000)
		if err != nil {
			t.Fatal(err)
		}
		p = p[n:]
		if complete {
			payload := &in.message
			if in.header.OpCode.IsControl() {
				payload = &in.control
			}
			payloads, *payload = append(payloads, *payload), nil
		}
		if n == 0 {
			return payloads, bytes.Clone(p)
		}
	}
}

// Frames may be cut anywhere, including the header and the mask.
func TestFramesMayBeCutAtEveryByte(t *testing.T) {
	want := [][]byte{bytes.Repeat([]byte("0123456789"), 20), nil, []byte("ping"), []byte("short")}
	var all []byte
	for i, code := range []ws.OpCode{ws.OpBinary, ws.OpText, ws.OpPing, ws.OpText} {
		f := ws.MaskFrameWith(ws.NewFrame(code, true, want[i]), [4]byte{1, 2, 3, 4})
		all = append(all, ws.MustCompileFrame(f)...)
	}
	for first := range len(all) {
		for second := first; second < len(all); second++ {
			var in input
			var got [][]byte
			var left []byte
			for _, piece := range [][]byte{all[:first], all[first:second], all[second:]} {
				more, rest := feed(t, &in, left, piece)
				got, left = append(got, more...), rest
			}
			if len(got) != len(want) || len(left) != 0 {
				t.Fatalf("cut at %d and %d: %d frames, %d bytes left", first, second, len(got), len(left))
			}
			for i := range want {
				if !bytes.Equal(got[i], want[i]) {
					t.Fatalf("cut at %d and %d: frame %d has %q", first, second, i, got[i])
				}
			}
		}
	}
}

// Only a header stays in the connection's buffer, which bounds the buffer.
func TestPayloadIsConsumedAsItArrives(t *testing.T) {
	var in input
	half := ws.MustCompileFrame(ws.MaskFrame(ws.NewBinaryFrame(make([]byte, 1000))))[:500]
	n, complete, err := in.parse(half, 1000)
	if n != len(half) || complete || err != nil {
		t.Errorf("consumed %d bytes of %d, complete: %v, %v", n, len(half), complete, err)
	}
	if n, complete, err := in.parse(nil, 1000); n != 0 || complete || err != nil {
		t.Errorf("consumed %d bytes of none, complete: %v, %v", n, complete, err)
	}
}
