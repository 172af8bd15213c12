//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// reader counts the answers that end in the bytes it is given.
type reader interface {
	take(in []byte) (answers int, err error)
}

// errStatus says that an answer is whole, but not the one that was wanted.
var errStatus = errors.New("unexpected answer")

// mostHead bounds an answer's head, in bytes.
const mostHead = 16 << 10

var endOfHead = []byte("\r\n\r\n")

// httpReader reads answers that have a Content-Length, as all that we measure have.
// It looks at nothing but status and length.
type httpReader struct {
	partial []byte // of a head
	left    int    // bytes of the body still to come
}

func (r *httpReader) take(in []byte) (answers int, err error) {
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

// bodyLength checks the status of a head and reads its Content-Length.
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

// echoReader compares what comes with the message that was sent.
type echoReader struct {
	message []byte
	seen    int // bytes of the message
}

func (r *echoReader) take(in []byte) (answers int, err error) {
	for len(in) > 0 {
		n := min(len(in), len(r.message)-r.seen)
		if !bytes.Equal(in[:n], r.message[r.seen:r.seen+n]) {
			return answers, fmt.Errorf("%w: other bytes than were sent", errStatus)
		}
		in = in[n:]
		if r.seen += n; r.seen == len(r.message) {
			r.seen = 0
			answers++
		}
	}
	return answers, nil
}

// upgradeReader reads the answer to a WebSocket handshake, then echoes.
type upgradeReader struct {
	head     []byte
	upgraded bool
	frames   echoReader
}

func (r *upgradeReader) take(in []byte) (answers int, err error) {
	if r.upgraded {
		return r.frames.take(in)
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
