//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// reader counts the responses that are complete with the bytes of in.
type reader interface {
	read(in []byte) (answers int, err error)
}

// errStatus: a response is complete, but not the expected one.
var errStatus = errors.New("unexpected answer")

// mostHead bounds the head of a response, in bytes.
const mostHead = 16 << 10

var endOfHead = []byte("\r\n\r\n")

// httpReader reads responses with a Content-Length, as all measured ones have. It checks
// only status and length.
type httpReader struct {
	partial []byte // of a head
	left    int    // bytes of the body not received yet
}

func (r *httpReader) read(in []byte) (answers int, err error) {
	for len(in) > 0 {
		if r.left > 0 {
			n := min(r.left, len(in))
			in = in[n:]
			if r.left -= n; r.left == 0 {
				answers++
			}
			continue
		}
		head := in
		if len(r.partial) > 0 {
			r.partial = append(r.partial, in...)
			head = r.partial
		}
		end := bytes.Index(head, endOfHead)
		if end < 0 {
			if len(head) > mostHead {
				return answers, fmt.Errorf("%w: a head of more than %d bytes", errStatus, mostHead)
			}
			if len(r.partial) == 0 {
				r.partial = append(r.partial, in...)
			}
			return answers, nil
		}
		end += len(endOfHead)
		if r.left, err = bodyLength(head[:end]); err != nil {
			return answers, err
		}
		in = in[end-(len(head)-len(in)):]
		r.partial = r.partial[:0]
		if r.left == 0 {
			answers++
		}
	}
	return answers, nil
}

// bodyLength checks the status of a head and returns its Content-Length.
func bodyLength(head []byte) (int, error) {
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 2")) {
		line, _, _ := bytes.Cut(head, []byte("\r\n"))
		return 0, fmt.Errorf("%w: %.100q", errStatus, line)
	}
	for rest := head; ; {
		at := bytes.Index(rest, []byte("ength:"))
		if at < 0 {
			return 0, fmt.Errorf("%w: no Content-Length", errStatus)
		}
		const name = "\r\nContent-Length:"
		value := at + len("ength:")
		if start := value - len(name); start >= 0 && bytes.EqualFold(rest[start:value], []byte(name)) {
			digits, _, _ := bytes.Cut(rest[value:], []byte("\r\n"))
			n, err := strconv.Atoi(string(bytes.TrimSpace(digits)))
			if err != nil || n < 0 {
				return 0, fmt.Errorf("%w: Content-Length %.20q", errStatus, digits)
			}
			return n, nil
		}
		rest = rest[value:]
	}
}

// echoReader compares the received bytes with the message.
type echoReader struct {
	message []byte
	seen    int // bytes of the message
}

func (r *echoReader) read(in []byte) (answers int, err error) {
	for len(in) > 0 {
		n := min(len(in), len(r.message)-r.seen)
		if !bytes.Equal(in[:n], r.message[r.seen:r.seen+n]) {
			return answers, fmt.Errorf("%w: received other bytes than were sent", errStatus)
		}
		in = in[n:]
		if r.seen += n; r.seen == len(r.message) {
			r.seen = 0
			answers++
		}
	}
	return answers, nil
}

// upgradeReader reads the response to a WebSocket handshake, then echoes.
type upgradeReader struct {
	head     []byte
	upgraded bool
	frames   echoReader
}

func (r *upgradeReader) read(in []byte) (answers int, err error) {
	if r.upgraded {
		return r.frames.read(in)
	}
	r.head = append(r.head, in...)
	end := bytes.Index(r.head, endOfHead)
	if end < 0 {
		return 0, nil
	}
	if !bytes.HasPrefix(r.head, []byte("HTTP/1.1 101 ")) || end+len(endOfHead) != len(r.head) {
		return 0, fmt.Errorf("%w: %.100q", errStatus, r.head)
	}
	r.upgraded, r.head = true, nil
	return 1, nil
}
