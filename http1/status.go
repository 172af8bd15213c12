package http1

import (
	"net/http"
	"strconv"
)

const (
	minStatus = 200 // of a final response
	maxStatus = 599
)

// reason is the reason phrase of a status code, empty if none is registered. Some differ
// from net/http's, which are those of older RFCs: see RFC 9110 section 15.5.
func reason(code int) string {
	switch code {
	case http.StatusRequestEntityTooLarge:
		return "Content Too Large"
	case http.StatusRequestURITooLong:
		return "URI Too Long"
	case http.StatusRequestedRangeNotSatisfiable:
		return "Range Not Satisfiable"
	case http.StatusUnprocessableEntity:
		return "Unprocessable Content"
	}
	return http.StatusText(code)
}

// appendStatusLine appends the status line, with a space before an empty reason too (RFC
// 9112 section 4).
func appendStatusLine(dst []byte, code int) []byte {
	if code == http.StatusOK {
		return append(dst, "HTTP/1.1 200 OK\r\n"...)
	}
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	dst = append(dst, ' ')
	dst = append(dst, reason(code)...)
	return append(dst, "\r\n"...)
}

// bodyless reports whether a response of this status has neither a body nor a
// Content-Length (RFC 9110 sections 8.6, 15.2, 15.3.5 and 15.4.5). One with 205 has the
// length 0 (section 15.3.6).
func bodyless(code int) bool {
	return code < 200 || code == http.StatusNoContent || code == http.StatusNotModified
}
