package websocket

import (
	"bytes"
	"errors"
	"io"

	"github.com/gobwas/ws"
)

var errTooBig = &Failure{ws.StatusMessageTooBig, "message too big"}

// input parses frames from input in any pieces. An incomplete header stays in the
// connection's buffer; a payload is consumed as it arrives.
type input struct {
	header     ws.Header // of the current frame
	left       int64     // bytes of its payload not received yet
	begun      bool      // there is a current frame
	fragmented bool      // a message's first fragment has been parsed, its last has not
	kind       ws.OpCode // of the message
	message    []byte    // its payload so far, unmasked
	control    []byte    // the payload of a control frame, which may come between fragments
}

// parse consumes bytes of p, none if a header is incomplete. complete means that they
// complete a frame. maxMessage is in bytes.
func (f *input) parse(p []byte, maxMessage int) (used int, complete bool, err error) {
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
	at := (f.header.Length - f.left) % 4 // offset in the mask
	ws.Cipher((*payload)[len(*payload)-len(p):], f.header.Mask, int(at))
	f.left -= int64(len(p))
	f.begun = f.left > 0
	return used + len(p), !f.begun, nil
}

// begin parses and checks a header. It returns its size, 0 if it is incomplete.
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
