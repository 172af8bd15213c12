package eddytls

import (
	"slices"
	"strings"
)

const (
	recordHeader    = 5
	recordHandshake = 22
	clientHello     = 1
	maxRecord       = 16<<10 + 2048 // RFC 5246 section 6.2.3
	maxHello        = 64 << 10      // crypto/tls refuses more
	maxHelloInput   = maxHello + 4<<10
)

// hello is a ClientHello that is being gathered, which may span several records. It only
// finds the end: crypto/tls has to judge the content, and gets what cannot be a ClientHello
// at once.
type hello struct {
	in      []byte
	next    int     // offset in in of the record that is not complete
	size    int     // bytes of the message in the records before
	message [4]byte // its first bytes: type and length
}

// complete reports whether crypto/tls can begin.
func (h *hello) complete() bool {
	for {
		record := h.in[h.next:]
		if len(record) < recordHeader {
			return len(h.in) > maxHelloInput
		}
		length := int(record[3])<<8 | int(record[4])
		if record[0] != recordHandshake || record[1] != 3 || length == 0 || length > maxRecord {
			return true
		}
		part := record[recordHeader:min(len(record), recordHeader+length)]
		message := h.message
		if h.size < len(message) {
			copy(message[h.size:], part)
		}
		if size := h.size + len(part); size >= len(message) {
			want := len(message) + int(message[1])<<16 + int(message[2])<<8 + int(message[3])
			if message[0] != clientHello || want > maxHello || size >= want {
				return true
			}
		}
		if len(part) < length {
			return len(h.in) > maxHelloInput
		}
		h.message = message
		h.size += length
		h.next += recordHeader + length
	}
}

// methods are beginnings of requests, of recordHeader bytes each.
var methods = []string{"GET /", "HEAD ", "POST ", "PUT /", "DELET", "PATCH", "OPTIO", "CONNE", "TRACE", "PRI *"}

// isHTTP reports whether the input begins like a request of plain HTTP.
func (h *hello) isHTTP() bool {
	return len(h.in) >= recordHeader && slices.Contains(methods, string(h.in[:recordHeader]))
}

const plainHTTPBody = "This port expects HTTPS, and got a request of plain HTTP. Use https:// instead.\n"

// plainHTTPAnswer is what such a client gets.
var plainHTTPAnswer = strings.Join([]string{
	"HTTP/1.1 400 Bad Request", "Connection: close", "Content-Type: text/plain; charset=utf-8", "Content-Length: 80", "", plainHTTPBody,
}, "\r\n")
