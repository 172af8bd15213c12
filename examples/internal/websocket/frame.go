package websocket

import (
	"bytes"
	"errors"
	"io"

	"github.com/gobwas/ws"
)

var errTooBig = &Failure{ws.StatusMessageTooBig, "message too big"}

// input takes frames apart, from input that comes in any pieces. A header is left to
// the connection until it is complete; a payload is taken as it comes.
type input struct {
	header     ws.Header // of the frame whose payload comes
	left       int64     // bytes of that payload to come
	begun      bool      // there is such a frame
	fragmented bool      // the first fragment of a message has come, and not the last
	kind       ws.OpCode // of the message
	message    []byte    // its payload so far, unmasked
	control    []byte    // the payload of a frame that may stand between fragments
}

// take uses bytes of p, none if more must come first, and says whether they complete a
// frame. maxMessage is in bytes.
func (f *input) take(p []byte, maxMessage int) (used int, complete bool, err error) {
	if !f.begun {
		if used, err = f.begin(p, maxMessage); used == 0 {
			return 0, false, err
		}
	}
	p = p[used:]
	p = p[:min(int64(len(p)), f.left)]
	payload := &f.message
	if f.header.OpCode.IsControl() {
		payload = &f.control
	}
	*payload = append(*payload, p...)
	at := (f.header.Length - f.left) % 4 // within the mask
	ws.Cipher((*payload)[len(*payload)-len(p):], f.header.Mask, int(at))
	f.left -= int64(len(p))
	f.begun = f.left > 0
	return used + len(p), !f.begun, nil
}

// begin reads a header, checks it, and returns its size: 0 if there is more to come.
func (f *input) begin(p []byte, maxMessage int) (size int, err error) {
	r := bytes.NewReader(p)
	h, err := ws.ReadHeader(r)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	state := ws.StateServerSide
	if f.fragmented {
		state |= ws.StateFragmented
	}
	if err := ws.CheckHeader(h, state); err != nil {
		return 0, err
	}
	if !h.OpCode.IsControl() {
		if h.Length > int64(maxMessage-len(f.message)) {
			return 0, errTooBig
		}
		if h.OpCode != ws.OpContinuation {
			f.kind = h.OpCode
		}
		f.fragmented = !h.Fin
	}
	f.header, f.left, f.begun = h, h.Length, true
	return len(p) - r.Len(), nil
}
